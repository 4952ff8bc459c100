package spigot.replica.commit;

import org.jspecify.annotations.Nullable;
import spigot.model.FileId;
import spigot.model.Version;

/**
 * A change that is to be committed.
 *
 * @param epoch under which it is committed, which must be the installed one
 * @param expected the version that it is made on; null: whichever it is
 * @param modifiedNanos what the file's modification time becomes
 * @param key makes a repetition harmless; null when nobody will repeat it
 */
public record CommitRequest(
        FileId file,
        long epoch,
        @Nullable Version expected,
        Mutation mutation,
        long modifiedNanos,
        @Nullable OperationKey key) {}
