package eks_rocketmq;

import org.apache.rocketmq.broker.BrokerController;
import org.apache.rocketmq.store.DefaultMessageStore;
import org.apache.rocketmq.store.SelectMappedBufferResult;
import org.apache.rocketmq.store.config.BrokerRole;
import org.apache.rocketmq.store.ha.autoswitch.AutoSwitchHAService;

/**
 * Makes a slave master whose log ends in the first half of a message.
 *
 * <p>Argument: {@code broker.conf}. Prints {@code NAME MILLISECONDS} until the log is truncated, and {@code NAME-rest
 * BYTES} that remain of the half, for RocketMQ's own replication and for that of the agent.
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
            ConfirmedHAService service = new ConfirmedHAService(store.getMessageStoreConfig(), new Proposals(() -> 0), () -> {});
            service.becomingMaster = true;
            report("agent", service, store);
        });
    }

    private static void report(String name, AutoSwitchHAService service, DefaultMessageStore store) throws Exception {
        service.init(store);
        store.getMessageStoreConfig().setBrokerRole(BrokerRole.ASYNC_MASTER);
        long begin = store.putMessage(TestMessage.create("orders"))
                .getAppendMessageResult()
                .getWroteOffset();
        TestProgram.awaitQueues(store);
        long end = store.getMaxPhyOffset();
        byte[] half = new byte[(int) (end - begin) / 2];
        SelectMappedBufferResult message = store.getCommitLogData(begin);
        message.getByteBuffer().get(half);
        message.release();
        store.getMessageStoreConfig().setBrokerRole(BrokerRole.SLAVE);
        store.appendToCommitLog(end, half, 0, half.length);
        store.setConfirmOffset(store.getMaxPhyOffset());
        long started = System.nanoTime();
        service.truncateInvalidMsg();
        System.out.println(name + " " + (System.nanoTime() - started) / 1_000_000);
        System.out.println(name + "-rest " + (store.getMaxPhyOffset() - end));
    }
}
