package eks_rocketmq;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.rocketmq.common.MixAll;
import org.apache.rocketmq.store.CommitLog;
import org.apache.rocketmq.store.DefaultMessageStore;
import org.apache.rocketmq.store.PutMessageStatus;
import org.apache.rocketmq.store.config.BrokerRole;
import org.apache.rocketmq.store.ha.DefaultHAService;
import org.apache.rocketmq.store.ha.GroupTransferService;
import org.apache.rocketmq.store.ha.HAConnection;
import org.apache.rocketmq.store.ha.autoswitch.AutoSwitchHAConnection;
import org.apache.rocketmq.store.ha.autoswitch.AutoSwitchHAService;

/**
 * Lets a write wait for the slaves 2 and 3, and confirms smaller in-sync sets meanwhile: without 3, and the master alone.
 *
 * <p>Argument: {@code broker.conf}. Prints {@code NAME RESULT}, for RocketMQ's own replication and for that of the agent:
 * the status of a write that slave 2 has, and of one that no slave has; {@code NAME-connected-again DONE}, whether a write
 * that slave 2 has is acknowledged while it has two connections, and slave 3 none; {@code NAME-demoted STATUS}, that of a
 * write that still waits when another master has been elected, or null if it goes on waiting.
 */
public final class SingleCopy {
    private static final int EPOCH = 5;
    private static final long OFFSET = 100;
    private static final long SLAVE_MILLIS = 10_000;

    private SingleCopy() {}

    public static void main(String[] arguments) {
        TestProgram.compare(arguments, SingleCopy::report);
    }

    private static void report(String name, AutoSwitchHAService service, DefaultMessageStore store) throws Exception {
        service.init(store);
        service.setLocalBrokerId(1L);
        GroupTransferService waiting = PrivateFields.read(DefaultHAService.class, "groupTransferService", service);
        waiting.start();
        TestProgram.withConnection(channel -> {
            TestProgram.acknowledge(TestProgram.connect(service, channel, 2), OFFSET);
            System.out.println(name + "-two-copies " + write(service, OFFSET, 1L, 2L));
            System.out.println(name + "-one-copy " + write(service, OFFSET + 1, 1L));
            AutoSwitchHAConnection former = new AutoSwitchHAConnection(service, channel, null);
            PrivateFields.write(AutoSwitchHAConnection.class, "slaveId", former, 2L);
            TestProgram.acknowledge(former, OFFSET);
            List<HAConnection> connections = PrivateFields.read(DefaultHAService.class, "connectionList", service);
            connections.add(0, former);
            System.out.println(name + "-connected-again " + start(service, OFFSET).isDone());

            CompletableFuture<PutMessageStatus> write = start(service, OFFSET + 1);
            store.getMessageStoreConfig().setBrokerRole(BrokerRole.SLAVE);
            service.changeToSlave("127.0.0.1:1", EPOCH, 1L);
            System.out.println(name + "-demoted " + write.getNow(null));
            store.getMessageStoreConfig().setBrokerRole(BrokerRole.SYNC_MASTER);
        });
    }

    private static String write(AutoSwitchHAService service, long end, Long... remaining) throws Exception {
        CompletableFuture<PutMessageStatus> write = start(service, end);
        if (write.isDone()) {
            throw new IllegalStateException("the write did not wait for the slaves");
        }
        service.setSyncStateSet(new HashSet<>(Arrays.asList(remaining)));
        return write.get(SLAVE_MILLIS, TimeUnit.MILLISECONDS).toString();
    }

    /** Starts a write that needs all members, and returns it when it waits for the slaves. */
    private static CompletableFuture<PutMessageStatus> start(AutoSwitchHAService service, long end) throws Exception {
        service.setSyncStateSet(new HashSet<>(Arrays.asList(1L, 2L, 3L)));
        CommitLog.GroupCommitRequest write =
                new CommitLog.GroupCommitRequest(end, SLAVE_MILLIS, MixAll.ALL_ACK_IN_SYNC_STATE_SET);
        service.putRequest(write);
        Thread.sleep(200);
        return write.future();
    }
}
