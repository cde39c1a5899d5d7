package eks_rocketmq;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.util.HashMap;
import java.util.Map;

/**
 * Brings the small files of a broker's store to the disk: its identity, the epochs of its log, topics, groups and
 * offsets.
 *
 * <p>RocketMQ writes a new file and renames it, without a flush. The kernel writes it up to 30 s later. After a loss of
 * power in that time the file is empty. A broker with an empty file of epochs never starts again.
 */
final class SmallFiles {
    private final Path store;
    private final Map<Path, FileTime> flushed = new HashMap<>();

    SmallFiles(String store) {
        this.store = Paths.get(store);
    }

    /** Returns when all files are on the disk that changed since the last call. */
    synchronized void flush() throws IOException {
        flush(store, "{brokerIdentity,epochFileCheckpoint}*");
        flush(store.resolve("config"), "*{.json,.json.bak,Metrics,metrics}");
    }

    private void flush(Path folder, String names) throws IOException {
        if (!Files.isDirectory(folder)) {
            return;
        }
        boolean changed = false;
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, names)) {
            for (Path file : files) {
                changed |= flushIfChanged(file);
            }
        }
        if (changed) {
            force(folder); // the names
        }
    }

    private boolean flushIfChanged(Path file) throws IOException {
        try {
            FileTime time = Files.getLastModifiedTime(file);
            if (time.equals(flushed.get(file))) {
                return false;
            }
            force(file);
            flushed.put(file, time);
            return true;
        } catch (NoSuchFileException error) {
            return true; // renamed meanwhile
        }
    }

    private static void force(Path path) throws IOException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }
}
