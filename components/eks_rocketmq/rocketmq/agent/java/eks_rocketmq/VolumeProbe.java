package eks_rocketmq;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.StandardOpenOption;

/**
 * Finds a volume that hangs. It writes one byte to the volume from time to time and waits until it is on the disk. Small
 * files go with it.
 *
 * <p>A slow volume completes other writes while this one waits, and is left alone. A restart would make it slower.
 */
final class VolumeProbe {
    private static final String FILE = "eks-rocketmq-volume-probe";
    private static final long PERIOD_MILLIS = 1000;
    private static final long RETRY_MILLIS = 5000;
    private static final long HUNG_MILLIS = 4000; // without one completed write
    private static final long UNKNOWN_HUNG_MILLIS = 30_000; // the same, if the kernel has no figures of the device

    private final Path file;
    private final SmallFiles files;
    private volatile long since; // when the write began that is under way, 0 if there is none
    private String device;
    private long completed = -1;
    private long progress;

    private VolumeProbe(String folder) {
        this.file = Paths.get(folder, FILE);
        this.files = new SmallFiles(folder);
    }

    /** Starts to write to a file in the folder. */
    static VolumeProbe start(String folder) {
        VolumeProbe probe = new VolumeProbe(folder);
        Daemon.repeat("EksRocketmqVolume", RETRY_MILLIS, probe::watch);
        return probe;
    }

    /** Writes until a write fails, for example to a full volume at the first start. */
    private void watch() throws InterruptedException {
        try {
            Files.createDirectories(file.getParent());
            try (FileChannel channel =
                    FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
                long number = ((Number) Files.getAttribute(file, "unix:dev")).longValue();
                device = ((number >> 8 & 0xfff) | (number >> 32 & ~0xfff)) + " "
                        + ((number & 0xff) | (number >> 12 & ~0xff)) + " ";
                while (true) {
                    since = System.nanoTime() | 1;
                    channel.write(ByteBuffer.wrap(new byte[] {(byte) since}), 0);
                    channel.force(false);
                    files.flush();
                    since = 0;
                    Thread.sleep(PERIOD_MILLIS);
                }
            }
        } catch (IOException | RuntimeException error) {
            System.out.println("the volume is not watched for " + RETRY_MILLIS + " ms: " + error);
        } finally {
            since = 0;
        }
    }

    /** Returns null, or for how long the volume completes no write. */
    synchronized String check() {
        long began = since;
        long now = System.nanoTime();
        long count = began == 0 ? -1 : countCompletedWrites();
        if (began == 0 || count != completed) {
            completed = count;
            progress = now;
            return null;
        }
        long waited = (now - Math.max(began, progress)) / 1_000_000;
        if (waited < (count < 0 ? UNKNOWN_HUNG_MILLIS : HUNG_MILLIS)) {
            return null;
        }
        return "hung: the volume completes no write since " + waited + " ms";
    }

    /** Returns the number of writes that the device has completed, or -1 if the kernel does not count them. */
    private long countCompletedWrites() {
        try {
            byte[] table = Files.readAllBytes(Paths.get("/proc/diskstats"));
            for (String line : new String(table, StandardCharsets.US_ASCII).split("\n")) {
                String words = line.trim().replaceAll(" +", " ");
                if (device != null && words.startsWith(device)) {
                    return Long.parseLong(words.split(" ")[7]);
                }
            }
        } catch (IOException error) {
            return -1; // not mounted in this container
        }
        return -1;
    }
}
