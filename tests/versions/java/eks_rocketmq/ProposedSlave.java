package eks_rocketmq;

import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
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
 * the agent: how many messages consumers can read while the slave lacks the message, and when it has the message ({@code
 * -replicated}). {@code -lost}: how many more messages the queues may have after it has lost its connection. {@code
 * agent-accepted}: the same, when the controllers' answer arrives while RocketMQ reads the confirmed offset.
 */
public final class ProposedSlave {
    private static final long SLAVE = 2;
    private static final Set<Long> MEMBERS = new HashSet<>(Arrays.asList(1L, SLAVE));

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
            ConfirmedHAService confirmed =
                    new ConfirmedHAService(next.getMessageStoreConfig(), proposals, () -> true);
            confirmed.init(next);
            PrivateFields.write(DefaultMessageStore.class, "haService", next, confirmed);
            report("agent", next, confirmed, () -> proposals.doBeforeRequest("controller", createProposal()));
            System.out.println("agent-accepted " + countBehind(next.getReputFromOffset(), readWhileAccepted(next, confirmed)));
        });
    }

    /** Returns the confirmed offset that is read while the controllers' answer arrives. */
    private static long readWhileAccepted(DefaultMessageStore store, ConfirmedHAService service) {
        AtomicBoolean accepted = new AtomicBoolean();
        return service.limitToProposals(() -> {
            long offset = store.getCommitLog().getConfirmOffsetDirectly();
            if (accepted.compareAndSet(false, true)) {
                service.setSyncStateSet(MEMBERS);
            }
            return offset;
        });
    }

    /** Returns the number of messages, 0 or 1, between what the slave has and what the queues may have. */
    private static int countBehind(long replicated, long confirmed) {
        return confirmed > replicated ? 1 : 0;
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

            service.removeConnection(slave);
            store.putMessage(TestMessage.create(name));
            System.out.println(name + "-lost " + countBehind(slave.getSlaveAckOffset(), service.computeConfirmOffset()));
        });
    }

    private static RemotingCommand createProposal() {
        RemotingCommand proposal =
                RemotingCommand.createRequestCommand(RequestCode.CONTROLLER_ALTER_SYNC_STATE_SET, null);
        proposal.setBody(new SyncStateSet(MEMBERS, 1).encode());
        return proposal;
    }
}
