package eks_rocketmq;

import java.io.IOException;
import java.io.OutputStream;
import java.lang.management.ManagementFactory;

/**
 * Ends this JVM when it hangs.
 *
 * <p>It asks the probe every 2 s. If the role does not answer although the JVM has time to run, it halts the JVM. A
 * process outside of the JVM, {@code watchdog.sh}, gets a line every 2 s, and kills a JVM that cannot even do that.
 */
final class Watchdog implements Runnable {
    private static final long PERIOD_MILLIS = 2000;
    private static final int FAILURES = 2; // one after the other, before the JVM is halted
    private static final long ABANDON_MILLIS = 1000;

    private final Probe probe;
    private final OutputStream signs;
    private volatile boolean stopping;

    private Watchdog(Probe probe, OutputStream signs) {
        this.probe = probe;
        this.signs = signs;
    }

    /** Starts the watchdog of a role that has started. The script is the path of {@code watchdog.sh}. */
    static void start(Probe probe, String script) throws IOException {
        String self = ManagementFactory.getRuntimeMXBean().getName().split("@")[0];
        ProcessBuilder builder = new ProcessBuilder("bash", script, self);
        builder.redirectOutput(ProcessBuilder.Redirect.INHERIT).redirectError(ProcessBuilder.Redirect.INHERIT);
        Watchdog watchdog = new Watchdog(probe, builder.start().getOutputStream());
        // A role that stops does not answer, and must not be halted before its store is closed.
        Runtime.getRuntime().addShutdownHook(new Thread(() -> watchdog.stopping = true, "EksRocketmqStopping"));
        Daemon.start("EksRocketmqWatchdog", watchdog);
    }

    @Override
    public void run() {
        int failures = 0;
        try {
            while (true) {
                String reason = ask();
                failures = reason == null ? 0 : failures + 1;
                if (failures >= FAILURES && !stopping) {
                    System.out.println(reason);
                    abandon();
                    // An orderly shutdown would wait for what hangs.
                    Runtime.getRuntime().halt(1);
                }
                signs.write('\n');
                signs.flush();
                Thread.sleep(PERIOD_MILLIS);
            }
        } catch (IOException error) {
            System.out.println("the watchdog has ended: " + error);
        } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
        }
    }

    /** A check that fails by itself says nothing about the role. */
    private String ask() {
        try {
            return probe.checkAlive();
        } catch (RuntimeException error) {
            System.out.println("the role was not checked: " + error);
            return null;
        }
    }

    private void abandon() throws InterruptedException {
        Daemon.start("EksRocketmqAbandon", probe::abandon).join(ABANDON_MILLIS); // it may hang too
    }
}
