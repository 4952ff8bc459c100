package spigot.node.control;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import spigot.node.Json;
import spigot.node.NodeException;

/** Asks a process of this machine over its control socket. Never waits longer than its caller allows. */
public final class ControlClient {
    private ControlClient() {}

    /** The process has answered that it can't do it; the message is for the user. */
    public static final class RefusedException extends NodeException {
        private static final long serialVersionUID = 1L;

        public RefusedException(String message) {
            super(message);
        }
    }

    /**
     * One request and its result.
     *
     * @param silence how long the process may say nothing, progress included
     * @param progress told what the process reports meanwhile
     * @throws RefusedException when the process answered with an error
     * @throws IOException when there is no process behind the socket, or it said nothing for too long
     */
    public static JsonNode call(Path socket, ObjectNode request, Duration silence, Consumer<JsonNode> progress)
            throws NodeException, IOException {
        if (!Files.exists(socket)) {
            throw new IOException("no process listens at " + socket);
        }
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        try (Watchdog watchdog = new Watchdog(channel, silence)) {
            try {
                channel.connect(UnixDomainSocketAddress.of(socket));
                ControlLines lines = new ControlLines(channel, ControlLines.MAX_REPLY_BYTES);
                lines.write(Json.line(request));
                while (true) {
                    watchdog.restart();
                    String line = lines.read();
                    if (line == null) {
                        throw new IOException("the process behind " + socket + " ended before it answered");
                    }
                    ObjectNode answer = Json.parse(line);
                    if (answer.has("progress")) {
                        progress.accept(answer.get("progress"));
                    } else if (answer.has("result")) {
                        return answer.get("result");
                    } else {
                        throw new RefusedException(answer.path("error").asText());
                    }
                }
            } catch (IOException e) {
                if (watchdog.hasBarked()) {
                    throw new IOException(
                            "the process behind " + socket + " did not answer within " + silence.toMillis() + " ms", e);
                }
                throw e;
            }
        }
    }

    public static JsonNode call(Path socket, ObjectNode request, Duration silence) throws NodeException, IOException {
        return call(socket, request, silence, state -> {});
    }

    /** Closes the channel after too long a silence. The blocked thread is the caller's; the timer has its own. */
    private static final class Watchdog implements AutoCloseable {
        private final SocketChannel channel;
        private final Duration silence;
        private final AtomicBoolean barked = new AtomicBoolean();
        private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(
                Thread.ofPlatform().daemon().name("control-timer").factory());
        private final ReentrantLock lock = new ReentrantLock();
        private @Nullable ScheduledFuture<?> next;

        Watchdog(SocketChannel channel, Duration silence) {
            this.channel = channel;
            this.silence = silence;
            restart();
        }

        void restart() {
            lock.lock();
            try {
                if (next != null) {
                    next.cancel(false);
                }
                next = timer.schedule(this::bark, silence.toMillis(), TimeUnit.MILLISECONDS);
            } finally {
                lock.unlock();
            }
        }

        private void bark() {
            barked.set(true);
            closeChannel();
        }

        boolean hasBarked() {
            return barked.get();
        }

        private void closeChannel() {
            try {
                channel.close();
            } catch (IOException e) {
                throw new java.io.UncheckedIOException("the control socket can't be closed", e);
            }
        }

        @Override
        public void close() {
            timer.shutdownNow();
            closeChannel();
        }
    }
}
