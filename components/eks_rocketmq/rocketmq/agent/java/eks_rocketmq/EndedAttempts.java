package eks_rocketmq;

import java.util.Arrays;
import org.apache.rocketmq.common.ServiceThread;
import org.apache.rocketmq.remoting.common.RemotingHelper;
import org.apache.rocketmq.store.ha.HAClient;

/**
 * Ends attempts of a slave to connect to its former master while the slave changes its role.
 *
 * <p>RocketMQ waits for the thread of the connection, and an attempt to connect to a lost node takes 5 s. The change to
 * master then took 6 s.
 */
final class EndedAttempts {
    private static final long PAUSE_MILLIS = 50;

    private EndedAttempts() {}

    /** Change of the role. Returns whether the role has changed. */
    interface Change<E extends Exception> {
        boolean apply() throws E;
    }

    /** Changes the role. A client that is opened again has another thread, which is not interrupted. */
    static <E extends Exception> boolean during(HAClient client, Change<E> change) throws E {
        Thread connecting = client == null ? null : findThread(client);
        if (connecting == null) {
            return change.apply();
        }
        Thread ending = watch(connecting);
        try {
            return change.apply();
        } finally {
            ending.interrupt();
        }
    }

    /** Starts a thread that interrupts each attempt of another thread to connect, and returns it. */
    static Thread watch(Thread connecting) {
        return Daemon.repeat("EksRocketmqEndedAttempts", PAUSE_MILLIS, () -> {
            // Elsewhere, an interrupt could close a file of the store.
            if (Arrays.stream(connecting.getStackTrace()).anyMatch(EndedAttempts::connects)) {
                connecting.interrupt();
            }
        });
    }

    private static boolean connects(StackTraceElement element) {
        return element.getClassName().equals(RemotingHelper.class.getName())
                && element.getMethodName().equals("connect");
    }

    private static Thread findThread(HAClient client) {
        try {
            return PrivateFields.read(ServiceThread.class, "thread", client);
        } catch (ReflectiveOperationException error) {
            throw new IllegalStateException("the thread of the connection to the master is not known", error);
        }
    }
}
