package eks_rocketmq;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;

/**
 * Watches a volume that cannot be written at first, and a role whose check fails by itself.
 *
 * <p>Prints {@code volume watched} when the probe writes to the volume, and {@code watchdog SIGNS}: the lines that the
 * script of the watchdog got in some seconds.
 */
public final class FailingChecks {
    private FailingChecks() {}

    public static void main(String[] arguments) {
        TestProgram.run(() -> {
            Path folder = Paths.get(arguments[0]).getParent();
            Path volume = folder.resolve("volume");
            Files.createFile(volume); // in place of the folder
            VolumeProbe.start(volume.toString());
            Path signs = folder.resolve("signs");
            Path script = folder.resolve("watchdog.sh");
            Files.writeString(script, "exec cat > " + signs);
            Watchdog.start(new FailingProbe(), script.toString());
            Thread.sleep(5000);
            System.out.println("watchdog " + Files.readAllLines(signs).size());
            Files.delete(volume);
            while (!Files.exists(volume.resolve("eks-rocketmq-volume-probe"))) {
                Thread.sleep(100);
            }
            System.out.println("volume watched");
        });
    }

    private static final class FailingProbe implements Probe {
        @Override
        public String checkAlive() {
            throw new IllegalStateException("Too many open files");
        }

        @Override
        public String checkStarted() {
            return null;
        }

        @Override
        public String checkReady() {
            return null;
        }
    }
}
