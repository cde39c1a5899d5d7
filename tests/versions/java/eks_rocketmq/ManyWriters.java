package eks_rocketmq;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.rocketmq.store.DefaultMessageStore;
import org.apache.rocketmq.store.config.BrokerRole;

/**
 * Writes a message with each of 100 threads, as many as a broker has on two processors, and one of 4 MiB with a few.
 *
 * <p>Argument: {@code broker.conf}. Prints {@code threads COUNT} and {@code large COUNT} of stored messages.
 */
public final class ManyWriters {
    private static final int THREADS = 100;
    private static final int LARGE = 4;

    private ManyWriters() {}

    public static void main(String[] arguments) {
        TestProgram.run(() -> {
            DefaultMessageStore store = TestProgram.startStore(arguments[0]);
            store.getMessageStoreConfig().setBrokerRole(BrokerRole.ASYNC_MASTER);
            CountDownLatch end = new CountDownLatch(1);
            System.out.println("threads " + write(store, THREADS, 1, end));
            int largest = store.getMessageStoreConfig().getMaxMessageSize();
            System.out.println("large " + write(store, LARGE, largest, end));
        });
    }

    /** Returns how many threads stored a message. They run on, because a thread that ends frees its buffer. */
    private static int write(DefaultMessageStore store, int threads, int length, CountDownLatch end)
            throws InterruptedException {
        AtomicInteger stored = new AtomicInteger();
        CountDownLatch written = new CountDownLatch(threads);
        for (int number = 0; number < threads; number++) {
            Thread thread = new Thread(() -> {
                try {
                    if (store.putMessage(TestMessage.create("orders", length)).isOk()) {
                        stored.incrementAndGet();
                    }
                } catch (OutOfMemoryError error) {
                    System.err.println(error);
                } finally {
                    written.countDown();
                }
                try {
                    end.await();
                } catch (InterruptedException error) {
                    Thread.currentThread().interrupt();
                }
            });
            thread.setDaemon(true);
            thread.start();
        }
        written.await();
        return stored.get();
    }
}
