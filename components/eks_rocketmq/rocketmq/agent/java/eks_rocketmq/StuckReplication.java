package eks_rocketmq;

import java.io.IOException;
import java.nio.channels.SocketChannel;
import org.apache.rocketmq.store.ha.HAClient;
import org.apache.rocketmq.store.ha.HAConnectionState;
import org.apache.rocketmq.store.ha.autoswitch.AutoSwitchHAClient;

/**
 * Ends a slave's connection to the master when nothing arrives through it.
 *
 * <p>Seen after several elections in a row: the slave reads a frame from the wrong position of its buffer
 * (NegativeArraySizeException in AutoSwitchHAClient). RocketMQ logs it and keeps the connection, so the slave never
 * gets in sync again. A new connection begins with an empty buffer.
 */
final class StuckReplication {
    private static final long STUCK_NANOS = 20_000_000_000L;

    private long offset = -1;
    private long since;

    /**
     * Called from time to time while this slave is not in sync.
     *
     * @param client the slave's connection to the master.
     * @param current end of the slave's log.
     */
    synchronized void check(HAClient client, long current) throws ReflectiveOperationException, IOException {
        boolean receives = client != null && client.getCurrentState() == HAConnectionState.TRANSFER;
        if (!receives || current != offset) {
            offset = current;
            since = System.nanoTime();
        } else if (System.nanoTime() - since > STUCK_NANOS) {
            System.out.println("replication stands still at " + current + ", connecting to the master again");
            disconnect(client);
            reset();
        }
    }

    /** Ends a slave's connection to the master. The thread that reads then resets its own state. */
    static void disconnect(HAClient client) throws ReflectiveOperationException, IOException {
        SocketChannel open =
                client == null ? null : PrivateFields.read(AutoSwitchHAClient.class, "socketChannel", client);
        if (open != null) {
            open.close();
        }
    }

    /** Called when this broker is in sync. */
    synchronized void reset() {
        offset = -1;
    }
}
