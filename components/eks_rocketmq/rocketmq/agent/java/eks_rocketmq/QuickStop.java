package eks_rocketmq;

import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Ends waits of a stop that wait for nothing.
 *
 * <p>RocketMQ closes its ports first. After that it waits for threads that look every 3 s or 5 s whether they shall
 * end, and sleeps for 2 s and 3 s so that requests end, whose answers nobody can get any more. Together these are most
 * of the 8 to 12 s of a broker's stop, in which the group has one member less, and 5 s of a controller's.
 */
final class QuickStop implements Runnable {
    private static final long PERIOD_MILLIS = 100;
    private static final String ROCKETMQ = "org.apache.rocketmq.";
    private static final String DLEDGER = "io.openmessaging.storage.dledger.";
    private static final String JOIN = ".ServiceThread.shutdown"; // of one of two classes with this name
    private static final String SLEEP = ROCKETMQ + "store.DefaultMessageStore.shutdown";
    private static final Set<String> JOINED = Collections.unmodifiableSet(new HashSet<>(Arrays.asList(
            ROCKETMQ + "remoting.netty.NettyRemotingAbstract$NettyEventExecutor.run",
            ROCKETMQ + "broker.processor.PopBufferMergeService.run",
            DLEDGER + "statemachine.StateMachineCaller.run")));

    /** Registers it for the stop of this JVM. */
    static void install() {
        Runtime.getRuntime().addShutdownHook(new Thread(QuickStop::start, "EksRocketmqQuickStop"));
    }

    /** Starts it. The JVM does not wait for this thread. */
    static void start() {
        Thread thread = new Thread(new QuickStop(), "EksRocketmqInterrupts");
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public void run() {
        try {
            while (true) {
                interruptWaits(Thread.getAllStackTraces());
                Thread.sleep(PERIOD_MILLIS);
            }
        } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
        }
    }

    private static void interruptWaits(Map<Thread, StackTraceElement[]> stacks) {
        boolean joining = stacks.values().stream().anyMatch(stack -> findMethod(stack).endsWith(JOIN));
        stacks.forEach((thread, stack) -> {
            String method = findMethod(stack);
            boolean useless = SLEEP.equals(method) || joining && JOINED.contains(method);
            if (useless && thread.getState() == Thread.State.TIMED_WAITING) {
                thread.interrupt();
            }
        });
    }

    /** Returns the innermost method of RocketMQ or DLedger that a thread is in, or nothing. */
    private static String findMethod(StackTraceElement[] stack) {
        for (StackTraceElement element : stack) {
            String name = element.getClassName();
            if (name.startsWith(ROCKETMQ) || name.startsWith(DLEDGER)) {
                return name + "." + element.getMethodName();
            }
        }
        return "";
    }
}
