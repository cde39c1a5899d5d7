package eks_rocketmq;

import org.apache.rocketmq.broker.BrokerController;
import org.apache.rocketmq.store.DefaultMessageStore;
import org.apache.rocketmq.store.SelectMappedBufferResult;
import org.apache.rocketmq.store.config.BrokerRole;
import org.apache.rocketmq.store.ha.autoswitch.AutoSwitchHAService;

/**
 * Makes a slave master whose log ends in the first half of a message, and lets one connect to another master.
 *
 * <p>Argument: {@code broker.conf}. Prints, for RocketMQ's own replication and for that of the agent: {@code NAME
 * MILLISECONDS} until the log of the new master is truncated, and {@code NAME-rest BYTES} that remain of the half;
 * {@code NAME-slave BYTES} that remain of a message and the half of another one, which the queues do not have yet.
 */
public final class IncompleteMessage {
    private IncompleteMessage() {}

    public static void main(String[] arguments) {
        TestProgram.run(() -> {
            BrokerController controller = TestProgram.createBroker(arguments[0]);
            DefaultMessageStore store = (DefaultMessageStore) controller.getMessageStore();
            controller.getBrokerConfig().setBrokerId(2); // a master skips what it cannot read
            store.start();
            store.getRunningFlags().makeFenced(false);
            report("rocketmq", new AutoSwitchHAService(), store);
            ConfirmedHAService service = TestProgram.createConfirmed(store.getMessageStoreConfig());
            service.becomingMaster = true;
            report("agent", service, store);
            service.becomingMaster = false;
            reportSlave("rocketmq", new AutoSwitchHAService(), store);
            reportSlave("agent", service, store);
        });
    }

    private static void report(String name, AutoSwitchHAService service, DefaultMessageStore store) throws Exception {
        service.init(store);
        byte[] message = append(store);
        long end = store.getMaxPhyOffset();
        store.appendToCommitLog(end, message, 0, message.length / 2);
        store.setConfirmOffset(store.getMaxPhyOffset());
        long started = System.nanoTime();
        service.truncateInvalidMsg();
        System.out.println(name + " " + (System.nanoTime() - started) / 1_000_000);
        System.out.println(name + "-rest " + (store.getMaxPhyOffset() - end));
    }

    private static void reportSlave(String name, AutoSwitchHAService service, DefaultMessageStore store)
            throws Exception {
        service.init(store);
        byte[] message = append(store);
        long end = store.getMaxPhyOffset();
        store.setConfirmOffset(end);
        store.appendToCommitLog(end, message, 0, message.length);
        store.appendToCommitLog(end + message.length, message, 0, message.length / 2);
        service.truncateInvalidMsg();
        System.out.println(name + "-slave " + (store.getMaxPhyOffset() - end - message.length));
        store.truncateDirtyFiles(end);
    }

    /** Appends a message as master, and returns it. The broker is a slave again afterwards. */
    private static byte[] append(DefaultMessageStore store) throws Exception {
        store.getMessageStoreConfig().setBrokerRole(BrokerRole.ASYNC_MASTER);
        long begin = store.putMessage(TestMessage.create("orders"))
                .getAppendMessageResult()
                .getWroteOffset();
        store.setConfirmOffset(store.getMaxPhyOffset());
        TestProgram.awaitQueues(store);
        byte[] message = new byte[(int) (store.getMaxPhyOffset() - begin)];
        SelectMappedBufferResult stored = store.getCommitLogData(begin);
        stored.getByteBuffer().get(message);
        stored.release();
        store.getMessageStoreConfig().setBrokerRole(BrokerRole.SLAVE);
        return message;
    }
}
