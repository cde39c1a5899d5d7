package eks_rocketmq;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Executors;
import java.util.function.Function;

/**
 * Serves the probes over HTTP: 200 if a probe succeeds, 503 and the reason if it fails.
 *
 * <p>An HTTP probe costs next to nothing. A probe that executes a script starts a process in the container, and the
 * container runtime uses more CPU for that than RocketMQ uses at rest.
 */
final class ProbeServer {
    private static final int THREADS = 3; // startup or liveness and readiness, and one that waits for an answer

    private volatile Probe probe;

    ProbeServer(int port) throws IOException {
        // Seconds after which a client that does not send its request, or does not read the answer, is disconnected.
        // The times pass on an overloaded node too.
        System.setProperty("sun.net.httpserver.maxReqTime", "120");
        System.setProperty("sun.net.httpserver.maxRspTime", "120");
        HttpServer server = HttpServer.create(new InetSocketAddress(port), 0);
        server.createContext("/started", exchange -> answer(exchange, Probe::checkStarted));
        server.createContext("/alive", exchange -> answer(exchange, Probe::checkAlive));
        server.createContext("/ready", exchange -> answer(exchange, Probe::checkReady));
        server.setExecutor(
                Executors.newFixedThreadPool(
                        THREADS,
                        work -> {
                            Thread thread = new Thread(work, "EksRocketmqProbe");
                            thread.setDaemon(true);
                            return thread;
                        }));
        server.start();
    }

    /** Sets what is asked, and returns it. Until then every probe fails. */
    Probe serve(Probe probe) {
        this.probe = probe;
        return probe;
    }

    private void answer(HttpExchange exchange, Function<Probe, String> check) throws IOException {
        String reason;
        try {
            Probe current = probe;
            reason = current == null ? "the process is starting" : check.apply(current);
        } catch (RuntimeException | LinkageError error) {
            reason = "the probe failed: " + error;
        }
        byte[] body = ((reason == null ? "ok" : reason) + "\n").getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(reason == null ? 200 : 503, body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }
}
