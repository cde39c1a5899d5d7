package eks_rocketmq;

import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.Set;
import org.apache.rocketmq.broker.BrokerController;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;
import org.apache.rocketmq.remoting.protocol.RequestCode;
import org.apache.rocketmq.remoting.protocol.body.SyncStateSet;
import org.apache.rocketmq.store.DefaultMessageStore;
import org.apache.rocketmq.store.ha.autoswitch.AutoSwitchHAConnection;
import org.apache.rocketmq.store.ha.autoswitch.AutoSwitchHAService;

/**
 * Stores a message on a master that has proposed its only slave to the controllers, and does not know their answer.
 *
 * <p>Argument: {@code broker.conf}. Prints {@code NAME COUNT}, for RocketMQ's own replication and log, and for those of
 * the agent: how many messages consumers can read while the slave lacks the message. {@code agent-replicated COUNT}: when
 * the slave has it.
 */
public final class ProposedSlave {
    private static final long SLAVE = 2;

    private ProposedSlave() {}

    public static void main(String[] arguments) {
        TestProgram.run(() -> {
            BrokerController plain = TestProgram.createBroker(arguments[0]);
            DefaultMessageStore store = (DefaultMessageStore) plain.getMessageStore();
            AutoSwitchHAService own = (AutoSwitchHAService) store.getHaService();
            report("rocketmq", store, own, () -> own.maybeExpandInSyncStateSet(SLAVE, store.getMaxPhyOffset()));
            store.shutdown();

            BrokerController checked = CheckedCommitLog.createBroker(new String[] {"-c", arguments[0]});
            DefaultMessageStore next = (DefaultMessageStore) checked.getMessageStore();
            Proposals proposals = new Proposals(() -> 0, members -> true);
            ConfirmedHAService confirmed = new ConfirmedHAService(next.getMessageStoreConfig(), proposals, () -> {});
            confirmed.init(next);
            PrivateFields.write(DefaultMessageStore.class, "haService", next, confirmed);
            report("agent", next, confirmed, () -> proposals.doBeforeRequest("controller", createProposal()));
        });
    }

    private static void report(
            String name, DefaultMessageStore store, AutoSwitchHAService service, TestProgram.Body propose)
            throws Exception {
        store.start();
        store.getRunningFlags().makeFenced(false);
        service.setLocalBrokerId(1L);
        service.changeToMaster(1);
        TestProgram.withConnection(channel -> {
            service.setSyncStateSet(Collections.singleton(1L));
            AutoSwitchHAConnection slave = TestProgram.connect(service, channel, SLAVE);
            TestProgram.acknowledge(slave, store.getMaxPhyOffset());
            propose.run();
            store.putMessage(TestMessage.create(name));
            TestProgram.awaitQueues(store);
            System.out.println(name + " " + store.getMaxOffsetInQueue(name, 0));

            TestProgram.acknowledge(slave, store.getMaxPhyOffset());
            TestProgram.awaitQueues(store);
            System.out.println(name + "-replicated " + store.getMaxOffsetInQueue(name, 0));
        });
    }

    private static RemotingCommand createProposal() {
        Set<Long> members = new HashSet<>(Arrays.asList(1L, SLAVE));
        RemotingCommand proposal =
                RemotingCommand.createRequestCommand(RequestCode.CONTROLLER_ALTER_SYNC_STATE_SET, null);
        proposal.setBody(new SyncStateSet(members, 1).encode());
        return proposal;
    }
}
