package eks_rocketmq;

import java.io.File;
import org.apache.rocketmq.broker.BrokerController;

/**
 * Stops two brokers with their stores, the first one by RocketMQ alone, the second one with {@link QuickStop}.
 *
 * <p>Argument: {@code broker.conf}. Prints {@code NAME MILLISECONDS} for each stop, and {@code NAME-store} with
 * {@code closed} if the store was closed in order.
 */
public final class StoppedBroker {
    private StoppedBroker() {}

    public static void main(String[] arguments) {
        TestProgram.run(() -> {
            stop("rocketmq", arguments[0]);
            QuickStop.start();
            stop("agent", arguments[0]);
        });
    }

    private static void stop(String name, String file) throws Exception {
        BrokerController controller = TestProgram.createBroker(file);
        controller.start();
        Thread.sleep(1_000); // its threads wait by then
        File abort = new File(controller.getMessageStoreConfig().getStorePathRootDir(), "abort");
        if (!abort.exists()) {
            throw new IllegalStateException(abort + " does not exist while the broker runs");
        }
        long begin = System.currentTimeMillis();
        controller.shutdown();
        System.out.println(name + " " + (System.currentTimeMillis() - begin));
        System.out.println(name + "-store " + (abort.exists() ? "open" : "closed"));
    }
}
