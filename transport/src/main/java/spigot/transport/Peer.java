package spigot.transport;

import java.io.Closeable;
import java.time.Duration;

/**
 * A peer at a fixed address that is connected on demand and again after each break, with exponential backoff and jitter.
 * Safe for any thread.
 */
public interface Peer extends Closeable {
    /** HOST:PORT, for messages. */
    String address();

    /**
     * The link, made now if there is none.
     *
     * @param patience how long to wait for it, over several attempts if need be; zero: wait for one attempt, however it ends,
     *     but not for a pause between two
     * @throws LinkBrokenException when it could not be made in time; while the backoff runs, at once when {@code patience} is zero
     */
    Link link(Duration patience) throws LinkBrokenException, InterruptedException;

    @Override
    void close();
}
