package eks_rocketmq;

import java.util.concurrent.TimeUnit;
import org.apache.rocketmq.store.ha.HAClient;
import org.apache.rocketmq.store.ha.HAConnectionState;

/**
 * Lets a slave connect to a new master without pauses.
 *
 * <p>The master closes all connections when it takes over. RocketMQ then waits 5 s before it connects again.
 */
final class Reconnection implements Runnable {
    private static final long WATCHED_NANOS = 15_000_000_000L;
    private static final long PAUSE_MILLIS = 100;

    private final HAClient client;

    private Reconnection(HAClient client) {
        this.client = client;
    }

    static void start(HAClient client) {
        Daemon.start("reconnection", new Reconnection(client));
    }

    @Override
    public void run() {
        long end = System.nanoTime() + WATCHED_NANOS;
        while (System.nanoTime() - end < 0) {
            if (client.getCurrentState() != HAConnectionState.TRANSFER) {
                client.wakeup();
            }
            try {
                TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
            } catch (InterruptedException error) {
                return;
            }
        }
    }
}
