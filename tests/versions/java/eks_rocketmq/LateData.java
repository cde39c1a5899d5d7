package eks_rocketmq;

import java.io.IOException;
import java.net.Socket;
import org.apache.rocketmq.store.ha.HAConnectionState;
import org.apache.rocketmq.store.ha.autoswitch.AutoSwitchHAClient;

/**
 * Sends data to a slave that ends its connection to this master, as each change of its role does.
 *
 * <p>Argument: {@code broker.conf}. Prints {@code NAME MILLISECONDS}, the longest time until the connection has ended
 * in some attempts, for RocketMQ's own client and for that of the agent.
 */
public final class LateData {
    private static final long PAUSE_MILLIS = 4_000; // RocketMQ waits 5 s
    private static final int ATTEMPTS = 5; // on a busy machine, the data may arrive when the thread has ended

    private LateData() {}

    /** Creates a slave. */
    private interface Creation {
        AutoSwitchHAClient create() throws IOException;
    }

    public static void main(String[] arguments) {
        TestProgram.run(() -> {
            EmptyMaster.Slaves slaves = new EmptyMaster.Slaves(arguments[0]);
            report("rocketmq", slaves::createOriginal);
            report("agent", slaves::createConfirmed);
        });
    }

    private static void report(String name, Creation creation) throws Exception {
        long longest = 0;
        for (int attempt = 0; attempt < ATTEMPTS && longest < PAUSE_MILLIS; attempt++) {
            longest = Math.max(longest, measure(creation.create()));
        }
        System.out.println(name + " " + longest);
    }

    private static long measure(AutoSwitchHAClient slave) throws Exception {
        try (Socket connection = EmptyMaster.connect(slave)) {
            while (slave.getCurrentState() != HAConnectionState.TRANSFER) {
                Thread.sleep(1);
            }
            Thread.sleep(300); // it waits for data by then, for 1 s
            long begin = System.nanoTime();
            Thread change = new Thread(slave::shutdown);
            change.start();
            while (!slave.isStopped()) {
                Thread.sleep(1);
            }
            try {
                EmptyMaster.sendHeader(connection, HAConnectionState.TRANSFER);
            } catch (IOException closed) {
                // the thread has ended before the data
            }
            change.join();
            return (System.nanoTime() - begin) / 1_000_000;
        }
    }
}
