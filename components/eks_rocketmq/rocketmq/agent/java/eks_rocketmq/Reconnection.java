package eks_rocketmq;

import java.util.concurrent.TimeUnit;
import org.apache.rocketmq.store.ha.HAClient;
import org.apache.rocketmq.store.ha.HAConnectionState;

/**
 * Lets a slave connect to a new master without pauses.
 *
 * <p>The master closes all connections when it takes over. RocketMQ then waits 5 s before it connects again.
 */
final class Reconnection extends Thread {
    private static final long WATCHED_NANOS = 15_000_000_000L;
    private static final long PAUSE_MILLIS = 100;

    private final HAClient client;

    private Reconnection(HAClient client) {
        super("reconnection");
        this.client = client;
        setDaemon(true);
    }

    static void start(HAClient client) {
        new Reconnection(client).start();
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
