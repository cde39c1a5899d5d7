package eks_rocketmq;

import java.util.Arrays;
import java.util.HashSet;
import org.apache.rocketmq.store.DefaultMessageStore;
import org.apache.rocketmq.store.ha.autoswitch.AutoSwitchHAConnection;
import org.apache.rocketmq.store.ha.autoswitch.AutoSwitchHAService;

/**
 * Stores a message on a master that then loses its only slave in sync. The controllers have confirmed no other set.
 *
 * <p>Argument: {@code broker.conf}. Prints {@code NAME COUNT}, for RocketMQ's own replication and for that of the agent:
 * how many messages consumers can read, {@code NAME-connected COUNT} when the slave is back and has reported nothing, {@code
 * NAME-empty COUNT} when it has reported an empty log, and {@code NAME-again COUNT} when it has the message. Another slave
 * in sync has the message in these cases.
 */
public final class LostSlaves {
    private static final long SLAVE = 2;
    private static final long OTHER_SLAVE = 3;

    private LostSlaves() {}

    public static void main(String[] arguments) {
        TestProgram.compareStarted(arguments, LostSlaves::report);
    }

    private static void report(String name, AutoSwitchHAService service, DefaultMessageStore store) throws Exception {
        TestProgram.withConnection(channel -> {
            AutoSwitchHAConnection slave = TestProgram.connect(service, channel, SLAVE);
            TestProgram.acknowledge(slave, store.getMaxPhyOffset());
            service.setSyncStateSet(new HashSet<>(Arrays.asList(1L, SLAVE)));
            store.putMessage(TestMessage.create(name));
            service.removeConnection(slave);
            TestProgram.awaitQueues(store);
            System.out.println(name + " " + store.getMaxOffsetInQueue(name, 0));

            service.setSyncStateSet(new HashSet<>(Arrays.asList(1L, SLAVE, OTHER_SLAVE)));
            AutoSwitchHAConnection connected = TestProgram.connect(service, channel, SLAVE);
            TestProgram.acknowledge(TestProgram.add(service, channel, OTHER_SLAVE), store.getMaxPhyOffset());
            service.updateConfirmOffsetWhenSlaveAck(OTHER_SLAVE);
            TestProgram.awaitQueues(store);
            System.out.println(name + "-connected " + store.getMaxOffsetInQueue(name, 0));

            TestProgram.acknowledge(connected, 0);
            service.updateConfirmOffsetWhenSlaveAck(SLAVE);
            TestProgram.awaitQueues(store);
            System.out.println(name + "-empty " + store.getMaxOffsetInQueue(name, 0));

            TestProgram.acknowledge(connected, store.getMaxPhyOffset());
            service.updateConfirmOffsetWhenSlaveAck(SLAVE);
            TestProgram.awaitQueues(store);
            System.out.println(name + "-again " + store.getMaxOffsetInQueue(name, 0));
        });
    }
}
