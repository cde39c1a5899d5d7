package eks_rocketmq;

import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Ends waits that delay the stop of a process.
 *
 * <p>RocketMQ closes its ports first. It then waits for threads that check every 3 s or 5 s whether they must end, and
 * sleeps for 2 s and 3 s until requests have ended. No client can receive the answers any more. Together these are most
 * of the 8 to 12 s of a broker's stop, in which the group has one member less, and 5 s of a controller's.
 */
final class QuickStop {
    private static final long PAUSE_MILLIS = 100;
    private static final String ROCKETMQ = "org.apache.rocketmq.";
    private static final String DLEDGER = "io.openmessaging.storage.dledger.";
    private static final String JOIN = ".ServiceThread.shutdown"; // of one of two classes with this name
    private static final String SLEEP = ROCKETMQ + "store.DefaultMessageStore.shutdown";
    private static final Set<String> JOINED = Collections.unmodifiableSet(new HashSet<>(Arrays.asList(
            ROCKETMQ + "remoting.netty.NettyRemotingAbstract$NettyEventExecutor.run",
            ROCKETMQ + "broker.processor.PopBufferMergeService.run",
            DLEDGER + "statemachine.StateMachineCaller.run")));

    private QuickStop() {}

    /** Registers it for the stop of this JVM. */
    static void install() {
        Runtime.getRuntime().addShutdownHook(new Thread(QuickStop::start, "EksRocketmqQuickStop"));
    }

    static void start() {
        Daemon.repeat("EksRocketmqInterrupts", PAUSE_MILLIS, () -> interruptWaits(Thread.getAllStackTraces()));
    }

    private static void interruptWaits(Map<Thread, StackTraceElement[]> stacks) {
        boolean joining = stacks.values().stream().anyMatch(stack -> findMethod(stack).endsWith(JOIN));
        stacks.forEach((thread, stack) -> {
            String method = findMethod(stack);
            boolean delays = SLEEP.equals(method) || joining && JOINED.contains(method);
            if (delays && thread.getState() == Thread.State.TIMED_WAITING) {
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
