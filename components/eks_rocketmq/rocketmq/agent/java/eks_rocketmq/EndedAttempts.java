package eks_rocketmq;

import java.lang.reflect.Field;
import org.apache.rocketmq.common.ServiceThread;
import org.apache.rocketmq.remoting.common.RemotingHelper;
import org.apache.rocketmq.store.ha.HAClient;

/**
 * Ends attempts of a slave to connect to its former master while the slave changes its role.
 *
 * <p>RocketMQ waits for the thread of the connection, and an attempt to connect to a lost node takes 5 s. The change to
 * master then took 6 s.
 */
final class EndedAttempts implements Runnable {
    private static final long PERIOD_MILLIS = 50;

    private final Thread connecting;
    private volatile boolean changed;

    EndedAttempts(Thread connecting) {
        this.connecting = connecting;
        Thread thread = new Thread(this, "EksRocketmqEndedAttempts");
        thread.setDaemon(true);
        thread.start();
    }

    /** Starts it for the thread that the client has now. A client that is opened again has another one. */
    static EndedAttempts of(HAClient client) {
        try {
            Field thread = ServiceThread.class.getDeclaredField("thread");
            thread.setAccessible(true);
            return new EndedAttempts(client == null ? null : (Thread) thread.get(client));
        } catch (ReflectiveOperationException error) {
            throw new IllegalStateException("the thread of the connection to the master is not known", error);
        }
    }

    @Override
    public void run() {
        while (connecting != null && connecting.isAlive() && !changed) {
            for (StackTraceElement element : connecting.getStackTrace()) {
                // Elsewhere, an interrupt could close a file of the store.
                if (element.getClassName().equals(RemotingHelper.class.getName())
                        && element.getMethodName().equals("connect")) {
                    connecting.interrupt();
                    break;
                }
            }
            try {
                Thread.sleep(PERIOD_MILLIS);
            } catch (InterruptedException error) {
                return;
            }
        }
    }

    /** Called when the role is changed. */
    void stop() {
        changed = true;
    }
}
