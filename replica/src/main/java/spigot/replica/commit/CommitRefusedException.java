package spigot.replica.commit;

import java.io.IOException;
import spigot.model.FileId;

/** A commit that can't be made, and of which nothing was done. */
public final class CommitRefusedException extends IOException {
    /** Why. */
    public enum Reason {
        /** A newer epoch is installed: another server is or will be the file's home. */
        OLDER_EPOCH,
        /** The epoch, or the file, was not installed here. */
        NOT_INSTALLED,
        /** The file has another version than expected. */
        OTHER_VERSION,
        /** The client has said before that it has this answer. */
        HEARD_ALREADY,
        /** More is known or asked for than the bounds allow. */
        TOO_MANY,
        /** The file has commits here that are in no published file yet. */
        NOT_FOLDED
    }

    private final Reason reason;

    static CommitRefusedException of(Reason reason, FileId file, String why) {
        return new CommitRefusedException(reason, "file " + file + ": " + why);
    }

    CommitRefusedException(Reason reason, String message) {
        super(message);
        this.reason = reason;
    }

    public Reason reason() {
        return reason;
    }
}
