package spigot.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Locale;

/** How far a registration is: one line that is written over on a terminal, one every few seconds elsewhere; on standard error. */
final class RegistrationProgress implements AutoCloseable {
    private static final long TERMINAL_NANOS = 100_000_000L;
    private static final long LOG_NANOS = 5_000_000_000L;

    private final String path;
    private final boolean terminal =
            System.console() != null && System.console().isTerminal();
    private final long start = System.nanoTime();
    private long last = start;
    private boolean shown;

    RegistrationProgress(String path) {
        this.path = path;
    }

    void show(JsonNode state) {
        long now = System.nanoTime();
        if (now - last < (terminal ? TERMINAL_NANOS : LOG_NANOS)) {
            return;
        }
        last = now;
        shown = true;
        long seen = state.path("seen").asLong();
        String line = String.format(
                Locale.ROOT,
                "%s: %s looked at, %,d registered, %,d skipped, %,.0f/s",
                path,
                Counted.entries(seen),
                state.path("registered").asLong(),
                state.path("skipped").asLong(),
                seen * 1e9 / (now - start));
        System.err.print(terminal ? "\r\u001b[K" + line : line + "\n");
        System.err.flush();
    }

    @Override
    public void close() {
        if (shown && terminal) {
            System.err.print("\r\u001b[K");
            System.err.flush();
        }
    }
}
