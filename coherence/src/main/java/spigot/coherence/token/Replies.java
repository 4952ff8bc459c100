package spigot.coherence.token;

import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import spigot.model.Version;

/**
 * The operations of one session, so that each is done once however often it comes: what is running, and the answers that the
 * client may not have yet. Bounded by its user, who asks for {@link #size} before {@link #begin}.
 */
final class Replies {
    /** By operation; {@link Version#NONE} while it runs. */
    private final TreeMap<Long, Version> operations = new TreeMap<>();

    private long forgottenBelow;

    int size() {
        return operations.size();
    }

    /** The client has the answers of all operations below. */
    void acknowledge(long unacknowledged) {
        if (unacknowledged <= forgottenBelow) {
            return;
        }
        forgottenBelow = unacknowledged;
        Map<Long, Version> below = operations.headMap(unacknowledged);
        below.values().removeIf(version -> !version.equals(Version.NONE));
    }

    boolean forgotten(long operation) {
        return operation < forgottenBelow && !operations.containsKey(operation);
    }

    boolean running(long operation) {
        return Version.NONE.equals(operations.get(operation));
    }

    /** The version that the operation made, if it was done. */
    @Nullable
    Version done(long operation) {
        Version version = operations.get(operation);
        return Version.NONE.equals(version) ? null : version;
    }

    void begin(long operation) {
        operations.put(operation, Version.NONE);
    }

    void done(long operation, Version version) {
        if (operation < forgottenBelow) {
            operations.remove(operation);
        } else {
            operations.put(operation, version);
        }
    }

    /** It was not done, and may come again. */
    void undone(long operation) {
        operations.remove(operation);
    }
}
