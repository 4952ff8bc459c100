package spigot.replica.commit;

import java.util.List;
import org.jspecify.annotations.Nullable;
import spigot.model.FileId;
import spigot.model.Fingerprint;
import spigot.model.Version;
import spigot.replica.commit.OperationKey.SessionKey;

/** What the log says, but for the bytes that were written. */
sealed interface LogRecord {
    /** This server is the file's home in the epoch; the content is what the published file has. */
    record Installed(FileId file, long epoch, Version version, Fingerprint fingerprint) implements LogRecord {}

    /** A commit. The bytes of the changes that are data follow the record in their order. */
    record Mutated(
            FileId file,
            Version version,
            long size,
            long modifiedNanos,
            List<Change> changes,
            @Nullable OperationKey key)
            implements LogRecord {
        public Mutated {
            changes = List.copyOf(changes);
        }
    }

    /** What the records up to {@code through} changed is in the published file. */
    record Folded(FileId file, long through, Fingerprint fingerprint) implements LogRecord {}

    /** The published file was changed by somebody else, which makes a version. */
    record ChangedOutside(FileId file, Version version, long size, Fingerprint fingerprint) implements LogRecord {}

    /** The file is none of this log's business any more. */
    record Forgotten(FileId file) implements LogRecord {}

    /** The client will not repeat anything of the session any more. */
    record SessionEnded(SessionKey session) implements LogRecord {}
}
