package spigot.replica.commit;

import org.jspecify.annotations.Nullable;
import spigot.model.Version;

/**
 * A file that has commits here. {@code view} is what everybody sees, and is read without a lock; the rest, but for the readers,
 * belongs to the lock of {@link CommitQueue}.
 */
final class OpenFile {
    final Readers readers = new Readers();

    volatile FileView view;

    /** What the next commit is made on: that of the last record in the log, durable or not. */
    Version nextBase;

    long nextSize;

    /** The newest epoch that was asked for, durable or not. */
    long epoch;

    /** It is on its way out, and not known to whoever comes. */
    boolean forgotten;

    /** At most so many ranges will be added by the records that are not durable yet. */
    int rangesToCome;

    /** When it became dirty; the clock's milliseconds. */
    long dirtySince;

    long notBefore;

    @Nullable
    Exception lastFailure;

    OpenFile(FileView view) {
        this.view = view;
        this.nextBase = view.version();
        this.nextSize = view.size();
        this.epoch = view.epoch();
    }

    /** At a start, when all records of the log have been seen. */
    void beginFromView() {
        nextBase = view.version();
        nextSize = view.size();
        epoch = view.epoch();
    }

    /** What is appended from now on is made on nothing older than what was installed. */
    void hasInstalled() {
        epoch = Math.max(epoch, view.epoch());
        if (nextBase.compareTo(view.version()) < 0) {
            nextBase = view.version();
            nextSize = view.size();
        }
    }

    boolean hasPending() {
        return !nextBase.equals(view.version());
    }
}
