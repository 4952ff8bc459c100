package spigot.node.http;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.Closeable;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;
import spigot.node.NodeException;

/**
 * {@code /metrics} (Prometheus text format 0.0.4), {@code /health} (200 or 503) and {@code /status} (JSON) over plain HTTP, read only and
 * without authentication: bind it to loopback or a network of operators. A virtual thread for each request, at most
 * {@value #MAX_REQUESTS} at a time.
 */
public final class HttpEndpoint implements Closeable {
    private static final int MAX_REQUESTS = 16;
    private static final int BACKLOG = 32;

    /** Seconds until a client that sends or takes nothing is cut off (jdk.httpserver's own property, read once). */
    private static final String CLIENT_SECONDS = "10";

    private final HttpServer server;
    private final ExecutorService threads;

    /** The health of a process: well, or why not. */
    public record Health(boolean well, String text) {}

    private HttpEndpoint(HttpServer server, ExecutorService threads) {
        this.server = server;
        this.threads = threads;
    }

    /** @throws NodeException when the address can't be bound */
    public static HttpEndpoint listen(
            InetSocketAddress address, Supplier<String> metrics, Supplier<String> status, Supplier<Health> health)
            throws NodeException {
        System.setProperty("sun.net.httpserver.maxReqTime", CLIENT_SECONDS);
        System.setProperty("sun.net.httpserver.maxRspTime", CLIENT_SECONDS);
        HttpServer server;
        try {
            server = HttpServer.create(address, BACKLOG);
        } catch (IOException e) {
            throw new NodeException(
                    address.getHostString() + ":" + address.getPort() + " can't be listened on: "
                            + NodeException.reason(e) + "; choose another with --http",
                    e);
        }
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
        Semaphore slots = new Semaphore(MAX_REQUESTS);
        server.setExecutor(task -> {
            if (!slots.tryAcquire()) {
                throw new RejectedExecutionException("too many HTTP requests at a time");
            }
            threads.execute(() -> {
                try {
                    task.run();
                } finally {
                    slots.release();
                }
            });
        });
        server.createContext(
                "/metrics",
                exchange -> answer(exchange, 200, "text/plain; version=0.0.4; charset=utf-8", metrics.get()));
        server.createContext("/status", exchange -> answer(exchange, 200, "application/json", status.get()));
        server.createContext("/health", exchange -> {
            Health now = health.get();
            answer(exchange, now.well() ? 200 : 503, "text/plain; charset=utf-8", now.text() + "\n");
        });
        server.createContext(
                "/", exchange -> answer(exchange, 404, "text/plain; charset=utf-8", "/metrics, /health and /status\n"));
        server.start();
        return new HttpEndpoint(server, threads);
    }

    private static void answer(HttpExchange exchange, int code, String type, String text) throws IOException {
        try (exchange) {
            boolean readOnly = exchange.getRequestMethod().equals("GET")
                    || exchange.getRequestMethod().equals("HEAD");
            byte[] body = (readOnly ? text : "only GET\n").getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", type);
            boolean head = exchange.getRequestMethod().equals("HEAD");
            exchange.sendResponseHeaders(readOnly ? code : 405, head ? -1 : body.length);
            if (!head) {
                exchange.getResponseBody().write(body);
            }
        }
    }

    public int port() {
        return server.getAddress().getPort();
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
