package spigot.coherence.token;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Operations of one kind that are under way in a session, numbered from 1. Flushes and serialised writes are counted apart: these wait
 * for the tokens of others, who may be waiting for those. Not thread-safe; at most {@code bound}.
 */
final class Operations {
    /** Sent and not answered. */
    static final class Operation {
        final HolderFile file;
        final Range range;
        final long tokenSequence;

        /** Of a serialised write; 0 of a flush. */
        final long request;

        /** It is to be sent again. */
        boolean again;

        Operation(HolderFile file, Range range, long tokenSequence, long request) {
            this.file = file;
            this.range = range;
            this.tokenSequence = tokenSequence;
            this.request = request;
        }
    }

    private final int bound;
    private final TreeMap<Long, Operation> running = new TreeMap<>();
    private long last;

    Operations(int bound) {
        this.bound = bound;
    }

    boolean full() {
        return running.size() >= bound;
    }

    /** @return its number */
    long begin(Operation operation) {
        running.put(++last, operation);
        return last;
    }

    @Nullable
    Operation end(long number) {
        return running.remove(number);
    }

    void failed(long number) {
        Operation operation = running.get(number);
        if (operation != null) {
            operation.again = true;
        }
    }

    /** All below it are answered. */
    long unacknowledged() {
        return running.isEmpty() ? last + 1 : running.firstKey();
    }

    /** Those to be sent again, by number. */
    List<Map.Entry<Long, Operation>> again() {
        return running.entrySet().stream()
                .filter(entry -> entry.getValue().again)
                .toList();
    }

    /** The session is over: what was under way is not any more. */
    List<Operation> clear() {
        List<Operation> all = List.copyOf(running.values());
        running.clear();
        last = 0;
        return all;
    }
}
