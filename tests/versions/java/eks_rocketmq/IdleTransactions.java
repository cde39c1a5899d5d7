package eks_rocketmq;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import org.apache.rocketmq.broker.BrokerController;
import org.apache.rocketmq.broker.BrokerStartup;
import org.apache.rocketmq.broker.transaction.queue.MessageQueueOpContext;
import org.apache.rocketmq.broker.transaction.queue.TransactionalMessageServiceImpl;
import org.apache.rocketmq.common.message.MessageExtBrokerInner;
import org.apache.rocketmq.store.MessageStore;

/**
 * Ends transactions, and measures the threads of transactions while no transaction follows.
 *
 * <p>Argument: {@code broker.conf}. Prints {@code NAME RESULT}, {@code busy} or {@code idle}, for the thread that writes
 * metrics just after its start, and for that of the batches, for RocketMQ alone and with {@link PacedTransactions}. Then
 * {@code stored} if the agent has stored many ends, and {@code written} if it has written the metrics.
 */
public final class IdleTransactions {
    private static final String OP_TOPIC = "RMQ_SYS_TRANS_OP_HALF_TOPIC";
    private static final String METRICS_THREAD = "TransactionFlushService";
    private static final String BATCHES_THREAD = "TransactionalOpBatchService";
    private static final int MANY = 5_000; // several batches of 4 KiB
    private static final long BUSY_NANOS = 150_000_000L;
    private static final long WINDOW_NANOS = 5_000_000_000L; // enough on a busy machine
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    private IdleTransactions() {}

    public static void main(String[] arguments) {
        TestProgram.run(() -> {
            BrokerController controller = BrokerStartup.createBrokerController(new String[] {"-c", arguments[0]});
            controller.getMessageStore().start();
            report("rocketmq-metrics", METRICS_THREAD);
            endTransactions(controller, 1);
            report("rocketmq-batches", BATCHES_THREAD);

            controller.getBrokerConfig().setTransactionMetricFlushInterval(2_000);
            PacedTransactions.install(controller);
            report("agent-metrics", METRICS_THREAD);
            endTransactions(controller, 1);
            report("agent-batches", BATCHES_THREAD);
            endTransactions(controller, MANY);
            System.out.println("agent-ends stored");
            Path metrics = Paths.get(
                    controller.getMessageStoreConfig().getStorePathRootDir(), "config", "transactionMetrics");
            while (!Files.exists(metrics)) {
                Thread.sleep(10);
            }
            System.out.println("agent-metrics-file written");
        });
    }

    /** Ends transactions, and waits until all ends are stored. */
    private static void endTransactions(BrokerController controller, int count) throws Exception {
        MessageStore store = controller.getMessageStore();
        TransactionalMessageServiceImpl service =
                (TransactionalMessageServiceImpl) controller.getTransactionalMessageService();
        MessageExtBrokerInner half = TestMessage.create("orders");
        long before = store.getMaxOffsetInQueue(OP_TOPIC, 0);
        for (int end = 0; end < count; end++) {
            half.setQueueOffset(end);
            service.deletePrepareMessage(half);
        }
        MessageQueueOpContext ends = service.getDeleteContext().get(half.getQueueId());
        while (ends.getTotalSize().get() > 0 || store.getMaxOffsetInQueue(OP_TOPIC, 0) == before) {
            Thread.sleep(10);
        }
    }

    private static void report(String name, String thread) throws InterruptedException {
        long used = readNanos(thread) + BUSY_NANOS;
        long end = System.nanoTime() + WINDOW_NANOS;
        while (readNanos(thread) < used && System.nanoTime() < end) {
            Thread.sleep(10);
        }
        System.out.println(name + " " + (readNanos(thread) < used ? "idle" : "busy"));
    }

    private static long readNanos(String name) {
        for (ThreadInfo thread : THREADS.getThreadInfo(THREADS.getAllThreadIds())) {
            if (thread != null && thread.getThreadName().equals(name)) {
                return THREADS.getThreadCpuTime(thread.getThreadId());
            }
        }
        throw new IllegalStateException("no thread has the name " + name);
    }
}
