package eks_rocketmq;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;

/**
 * The kernel's scheduling statistics of this process: how long its threads ran, and waited for a CPU.
 *
 * <p>While a slow process works on a request, at any time one of its threads has a CPU or waits for one. The threads of
 * a hung process sleep, except for timers.
 */
final class ThreadTimes {
    private static final long BUSY_PERCENT = 70; // 100 and more if slow, 20 to 40 in an idle broker

    private final long ranMillis;
    private final long waitedMillis;

    private ThreadTimes(long ranMillis, long waitedMillis) {
        this.ranMillis = ranMillis;
        this.waitedMillis = waitedMillis;
    }

    static ThreadTimes read() {
        long ran = 0;
        long waited = 0;
        try (DirectoryStream<Path> threads = Files.newDirectoryStream(Paths.get("/proc/self/task"))) {
            for (Path thread : threads) {
                try {
                    String line = new String(Files.readAllBytes(thread.resolve("schedstat")), StandardCharsets.US_ASCII);
                    String[] fields = line.trim().split(" ");
                    ran += Long.parseLong(fields[0]);
                    waited += Long.parseLong(fields[1]);
                } catch (IOException gone) {
                    continue; // the thread has ended
                }
            }
        } catch (IOException error) {
            throw new IllegalStateException("cannot read /proc/self/task", error);
        }
        return new ThreadTimes(ran / 1_000_000, waited / 1_000_000);
    }

    boolean isSlowSince(ThreadTimes before, long passedMillis) {
        long busy = ranMillis - before.ranMillis + waitedMillis - before.waitedMillis;
        return busy * 100 >= BUSY_PERCENT * passedMillis;
    }

    String describeSince(ThreadTimes before, long passedMillis) {
        return "in " + passedMillis + " ms its threads ran " + (ranMillis - before.ranMillis) + " ms and waited "
                + (waitedMillis - before.waitedMillis) + " ms for a CPU";
    }
}
