package eks_rocketmq;

import org.apache.rocketmq.broker.BrokerController;
import org.apache.rocketmq.store.MessageStore;
import org.apache.rocketmq.store.config.BrokerRole;

/**
 * Checks a pending transaction when the broker has just become a slave, and again when it is master.
 *
 * <p>Argument: {@code broker.conf}. Prints {@code NAME RESULT}: {@code ended} or {@code running} some seconds after the
 * start of the check, by RocketMQ alone and with {@link TransactionChecks}. Then the number of messages that a check of
 * the master stored again.
 */
public final class PendingTransaction {
    private static final long SECONDS = 5;
    private static final String HALF_TOPIC = "RMQ_SYS_TRANS_HALF_TOPIC";

    private PendingTransaction() {}

    public static void main(String[] arguments) {
        TestProgram.run(() -> run(arguments[0]));
    }

    private static void run(String file) throws Exception {
        BrokerController controller = TestProgram.createBroker(file);
        MessageStore store = controller.getMessageStore();
        store.start();
        controller.getTransactionalMessageService().prepareMessage(TestMessage.create("orders"));
        TestProgram.awaitQueues(store);
        Thread.sleep(100); // it is older than the time limit of a transaction then
        report("rocketmq", controller);
        TransactionChecks.install(controller);
        report("agent", controller);
        controller.getMessageStoreConfig().setBrokerRole(BrokerRole.ASYNC_MASTER);
        long before = store.getMaxOffsetInQueue(HALF_TOPIC, 0);
        check(controller).join();
        TestProgram.awaitQueues(store);
        System.out.println("agent-master " + (store.getMaxOffsetInQueue(HALF_TOPIC, 0) - before));
    }

    private static void report(String name, BrokerController controller) throws InterruptedException {
        controller.getMessageStoreConfig().setBrokerRole(BrokerRole.SLAVE);
        Thread thread = check(controller);
        thread.join(SECONDS * 1_000);
        System.out.println(name + " " + (thread.isAlive() ? "running" : "ended"));
    }

    private static Thread check(BrokerController controller) {
        Thread thread = new Thread(() -> controller.getTransactionalMessageService()
                .check(1, 15, controller.getTransactionalMessageCheckListener()));
        thread.start();
        return thread;
    }
}
