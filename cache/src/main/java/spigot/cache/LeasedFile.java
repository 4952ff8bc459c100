package spigot.cache;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import spigot.model.FileId;
import spigot.model.Version;

/** A file that is open or leased. Safe for any thread; no I/O here. */
final class LeasedFile {
    private final FileId id;
    private final Places places;

    private final ReentrantLock lock = new ReentrantLock();

    @GuardedBy("lock")
    private int handles;

    /** The version whose bytes the kernel may have pages of; NONE when they are gone, or may be of several. */
    @GuardedBy("lock")
    private Version kernelVersion = Version.NONE;

    /** Ends when whoever asks the home has its answer. */
    @GuardedBy("lock")
    private @Nullable CompletableFuture<Void> asking;

    @GuardedBy("lock")
    private boolean removed;

    private volatile @Nullable FileView view;

    LeasedFile(FileId id, Places places) {
        this.id = id;
        this.places = places;
    }

    FileId id() {
        return id;
    }

    Places places() {
        return places;
    }

    @Nullable
    FileView view() {
        return view;
    }

    // ---- handles

    /** @return false when it was removed meanwhile: look for it again */
    boolean addHandle() {
        lock.lock();
        try {
            if (removed) {
                return false;
            }
            handles++;
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** @return whether nothing is left that speaks for keeping it */
    boolean removeHandle() {
        lock.lock();
        try {
            handles--;
            return removeIfIdleLocked();
        } finally {
            lock.unlock();
        }
    }

    boolean removeIfIdle() {
        lock.lock();
        try {
            return removeIfIdleLocked();
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("lock")
    private boolean removeIfIdleLocked() {
        FileView now = view;
        removed = handles == 0 && asking == null && (now == null || !now.isLeased());
        return removed;
    }

    boolean hasHandlesBesides(int own) {
        lock.lock();
        try {
            return handles > own;
        } finally {
            lock.unlock();
        }
    }

    /** A handle is about to be given out. @return whether the kernel's pages are of this version */
    boolean openedAt(Version version) {
        lock.lock();
        try {
            boolean same = kernelVersion.equals(version) && !version.equals(Version.NONE);
            kernelVersion = version;
            return same;
        } finally {
            lock.unlock();
        }
    }

    /** The kernel is about to lose its pages. @return whether there are handles, so that it has to be told */
    boolean dropKernelPages() {
        lock.lock();
        try {
            if (handles > 0) {
                kernelVersion = Version.NONE;
            }
            return handles > 0;
        } finally {
            lock.unlock();
        }
    }

    // ---- the view

    /**
     * Puts another view in the place of the one that the caller has seen.
     *
     * @return whether it was still the same one
     */
    @SuppressWarnings("ReferenceEquality") // this very view, not one like it
    boolean replace(@Nullable FileView seen, FileView next) {
        lock.lock();
        try {
            if (view != seen) {
                return false;
            }
            view = next;
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** Puts a view in place. @return the one before */
    @Nullable
    FileView publish(FileView next) {
        lock.lock();
        try {
            FileView before = view;
            view = next;
            return before;
        } finally {
            lock.unlock();
        }
    }

    // ---- one asks for all

    /** @return null: the caller is to ask, and to call {@link #asked} in the end; else wait for this, and look again */
    @Nullable
    CompletableFuture<Void> askOrWait() {
        lock.lock();
        try {
            if (asking == null) {
                asking = new CompletableFuture<>();
                return null;
            }
            return asking;
        } finally {
            lock.unlock();
        }
    }

    void asked() {
        CompletableFuture<Void> ended;
        lock.lock();
        try {
            ended = asking;
            asking = null;
        } finally {
            lock.unlock();
        }
        if (ended != null) {
            ended.complete(null);
        }
    }
}
