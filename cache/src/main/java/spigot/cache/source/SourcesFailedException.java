package spigot.cache.source;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import spigot.model.NodeId;
import spigot.transport.FailureException;
import spigot.transport.wire.Failure;

/** Each source was tried and none delivered. */
public final class SourcesFailedException extends IOException {
    private static final long serialVersionUID = 1L;

    /** What became of the attempt at one source. */
    public record Attempt(NodeId server, String address, IOException cause) {
        @Nullable
        FailureException refusal() {
            return cause instanceof FailureException refused ? refused : null;
        }
    }

    private final transient List<Attempt> attempts;

    public SourcesFailedException(List<Attempt> attempts) {
        super(describe(attempts), attempts.isEmpty() ? null : attempts.getLast().cause());
        this.attempts = List.copyOf(attempts);
    }

    private static String describe(List<Attempt> attempts) {
        if (attempts.isEmpty()) {
            return "no server has the file";
        }
        List<String> parts = new ArrayList<>();
        for (Attempt attempt : attempts) {
            parts.add(attempt.address() + ": " + attempt.cause().getMessage());
        }
        return String.join("; ", parts);
    }

    /** Whether this server answered that it does not have the version. */
    public boolean saysGone(NodeId server) {
        return refused(server, Failure.Code.VERSION_GONE);
    }

    private boolean refused(NodeId server, Failure.Code code) {
        for (Attempt attempt : attempts) {
            FailureException refusal = attempt.refusal();
            if (refusal != null && refusal.code() == code && attempt.server().equals(server)) {
                return true;
            }
        }
        return false;
    }

    /** Whether this server could not be reached, or did not answer. */
    public boolean unreachable(NodeId server) {
        boolean tried = false;
        for (Attempt attempt : attempts) {
            if (attempt.server().equals(server)) {
                tried = true;
                if (attempt.refusal() == null) {
                    return true;
                }
            }
        }
        return !tried;
    }

    /** A refusal that trying again will not change, when every source answered so; else null. */
    public @Nullable FailureException finalRefusal() {
        FailureException last = null;
        for (Attempt attempt : attempts) {
            FailureException refusal = attempt.refusal();
            if (refusal == null) {
                return null;
            }
            switch (refusal.code()) {
                case IO_ERROR, DENIED, BAD_REQUEST -> last = refusal;
                case UNKNOWN,
                        NOT_FOUND,
                        NOT_DIRECTORY,
                        VERSION_GONE,
                        NOT_HOME,
                        UNKNOWN_SESSION,
                        NOT_READY,
                        TOO_MANY,
                        CONFLICT,
                        BAD_TOKEN,
                        NO_ATTRIBUTE,
                        SERIALISED,
                        NO_TOKEN,
                        UNRECOGNIZED -> {
                    return null;
                }
            }
        }
        return last;
    }
}
