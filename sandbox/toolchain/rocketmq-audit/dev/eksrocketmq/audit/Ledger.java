package dev.eksrocketmq.audit;

import com.alibaba.fastjson2.JSON;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Append-only record of every attempt, one JSON object a line.
 *
 * <p>An attempt has a line before it begins and one after it ends. Without the first, a message whose sender was killed
 * would look like one that nobody sent. Times are those of CLOCK_MONOTONIC, in nanoseconds.
 */
final class Ledger implements AutoCloseable {
    private final FileChannel file;

    Ledger(Path path) throws IOException {
        file = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.APPEND);
    }

    void begin(LoadPlan.WorkloadPlan workload, String id, String key, long sequence) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("event", "begin");
        line.put("id", id);
        line.put("client", workload.client);
        line.put("topic", workload.topic);
        if (key != null) {
            line.put("key", key);
        }
        line.put("sequence", sequence);
        line.put("at", System.nanoTime());
        append(line);
    }

    void end(String id, String code) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("event", "end");
        line.put("id", id);
        line.put("at", System.nanoTime());
        line.put("code", code);
        append(line);
    }

    private synchronized void append(Map<String, Object> line) {
        ByteBuffer bytes = ByteBuffer.wrap((JSON.toJSONString(line) + "\n").getBytes(StandardCharsets.UTF_8));
        try {
            while (bytes.hasRemaining()) {
                file.write(bytes);
            }
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
