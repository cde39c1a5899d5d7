package eks_rocketmq;

import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Ends waits of a stop that wait for nothing.
 *
 * <p>RocketMQ closes its ports first. After that it waits for threads that look every 3 s whether they shall end, and
 * sleeps for 2 s and 3 s so that requests end, whose answers nobody can get any more. One after the other these take most
 * of the 8 to 12 s of a stop, in which the group has one member less.
 */
final class QuickStop implements Runnable {
    private static final long PERIOD_MILLIS = 100;
    private static final String ROCKETMQ = "org.apache.rocketmq.";
    private static final String JOIN = ROCKETMQ + "common.ServiceThread.shutdown";
    private static final String SLEEP = ROCKETMQ + "store.DefaultMessageStore.shutdown";
    private static final Set<String> JOINED = Collections.unmodifiableSet(new HashSet<>(Arrays.asList(
            ROCKETMQ + "remoting.netty.NettyRemotingAbstract$NettyEventExecutor.run",
            ROCKETMQ + "broker.processor.PopBufferMergeService.run")));

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
        boolean joining = stacks.values().stream().anyMatch(stack -> JOIN.equals(findMethod(stack)));
        stacks.forEach((thread, stack) -> {
            String method = findMethod(stack);
            boolean useless = SLEEP.equals(method) || joining && JOINED.contains(method);
            if (useless && thread.getState() == Thread.State.TIMED_WAITING) {
                thread.interrupt();
            }
        });
    }

    /** Returns the innermost method of RocketMQ that a thread is in, or null. */
    private static String findMethod(StackTraceElement[] stack) {
        for (StackTraceElement element : stack) {
            if (element.getClassName().startsWith(ROCKETMQ)) {
                return element.getClassName() + "." + element.getMethodName();
            }
        }
        return null;
    }
}
