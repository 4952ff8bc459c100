package spigot.transport.tls;

import java.io.IOException;
import java.net.Socket;
import java.time.Duration;
import java.util.concurrent.Future;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Closes a socket when a handshake takes too long, however slowly the peer may go on with it. */
final class Deadline implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Deadline.class);

    private final Future<?> alarm;
    private volatile boolean passed;

    Deadline(Socket socket, Duration within) {
        alarm = Alarm.after(within, () -> {
            passed = true;
            closeQuietly(socket);
        });
    }

    boolean hasPassed() {
        return passed;
    }

    @Override
    public void close() {
        alarm.cancel(false);
    }

    static void closeQuietly(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            log.debug("event=close_failed cause=\"{}\"", e.toString());
        }
    }
}
