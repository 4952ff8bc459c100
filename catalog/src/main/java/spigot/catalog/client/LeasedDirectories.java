package spigot.catalog.client;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import spigot.coherence.Lease;
import spigot.model.FileId;
import spigot.model.FileName;
import spigot.model.Version;
import spigot.session.LeaseHolder;

/**
 * The directories in memory, under a budget of bytes. What is stored under a valid lease is right; what is not is shown only
 * while there is no session with the catalog. Safe for any thread; never blocks. Reading takes no lock.
 */
final class LeasedDirectories {
    /** How far below the budget it is brought at a time, so that it is not done for each directory. */
    private static final double LOW_WATER = 0.9;

    private final LeaseHolder holder;
    private final NamespaceListener listener;
    private final long budgetBytes;
    private final Map<FileId, CachedDirectory> directories = new ConcurrentHashMap<>();

    private final ReentrantLock changing = new ReentrantLock();

    @GuardedBy("changing")
    private long bytes;

    /** Counts changes: what was used since the last one is as recent as it. */
    private volatile long now;

    LeasedDirectories(LeaseHolder holder, NamespaceListener listener, long budgetBytes) {
        this.holder = holder;
        this.listener = listener;
        this.budgetBytes = budgetBytes;
    }

    /** Null: the catalog has to be asked. */
    @Nullable
    CachedLookup lookup(FileId id, FileName name) {
        CachedDirectory directory = directories.get(id);
        if (directory == null || directory.leaving) {
            return null;
        }
        directory.used = now;
        CachedDirectory.Listed listed = directory.listed();
        if (listed != null && holder.valid(listed.lease())) {
            return in(listed.listing(), name);
        }
        CachedDirectory.Names names = directory.names();
        if (names != null && holder.valid(names.lease())) {
            return names.known().get(name);
        }
        return holder.connected() ? null : stale(listed, names, name);
    }

    private static @Nullable CachedLookup stale(
            CachedDirectory.@Nullable Listed listed, CachedDirectory.@Nullable Names names, FileName name) {
        CachedLookup found = names == null ? null : names.known().get(name);
        if (found == null && listed != null) {
            return in(listed.listing(), name);
        }
        return found;
    }

    private static CachedLookup in(DirectoryListing listing, FileName name) {
        int index = listing.find(name);
        return index < 0 ? CachedLookup.Absent.ABSENT : new CachedLookup.Present(listing.record(index));
    }

    /** Null: the catalog has to be asked. */
    @Nullable
    DirectoryListing listing(FileId id) {
        CachedDirectory directory = directories.get(id);
        if (directory == null || directory.leaving) {
            return null;
        }
        directory.used = now;
        CachedDirectory.Listed listed = directory.listed();
        if (listed == null) {
            return null;
        }
        return holder.valid(listed.lease()) || !holder.connected() ? listed.listing() : null;
    }

    /** Whether that is the listing in memory, and a lease covers it. */
    boolean isLeased(FileId id, DirectoryListing listing) {
        CachedDirectory directory = directories.get(id);
        if (directory == null || directory.leaving) {
            return false;
        }
        CachedDirectory.Listed listed = directory.listed();
        return listed != null && listed.listing() == listing && holder.valid(listed.lease());
    }

    /** Whether what is known of the directory is not covered by a lease. */
    boolean isStale(FileId id) {
        CachedDirectory directory = directories.get(id);
        if (directory == null) {
            return false;
        }
        CachedDirectory.Listed listed = directory.listed();
        CachedDirectory.Names names = directory.names();
        return directory.leaving
                || !((listed != null && holder.valid(listed.lease()))
                        || (names != null && holder.valid(names.lease())));
    }

    /** The listing to compare a new one with, whatever its lease; null when there is none. */
    CachedDirectory.@Nullable Listed last(FileId id) {
        CachedDirectory directory = directories.get(id);
        return directory == null ? null : directory.listed();
    }

    /** Whether the directory may be asked for a lease: not while it is being given up. */
    boolean mayLease(FileId id) {
        CachedDirectory directory = directories.get(id);
        return directory == null || !directory.leaving;
    }

    /** @return how many names of the directory are known one by one; 0 when there is no use in a listing */
    int store(FileId id, Lease lease, FileName name, CachedLookup found) {
        int[] count = new int[1];
        change(id, directory -> count[0] = directory.put(lease, name, found));
        CachedDirectory directory = directories.get(id);
        return directory == null || directory.large ? 0 : count[0];
    }

    void store(FileId id, Lease lease, DirectoryListing listing, Version version) {
        change(id, directory -> directory.put(new CachedDirectory.Listed(lease, listing, version)));
    }

    /** The directory is too large to be listed without having been asked for. */
    void large(FileId id) {
        change(id, directory -> directory.large = true);
    }

    /** A directory that does not exist any more. */
    void forget(FileId id) {
        changing.lock();
        try {
            CachedDirectory gone = directories.get(id);
            if (gone != null && !gone.leaving) {
                directories.remove(id);
                bytes -= gone.accountedBytes;
            }
        } finally {
            changing.unlock();
        }
    }

    private void change(FileId id, Consumer<CachedDirectory> change) {
        Map<FileId, CachedDirectory> tooMuch;
        changing.lock();
        try {
            CachedDirectory directory = directories.computeIfAbsent(id, _ -> new CachedDirectory());
            if (directory.leaving) {
                return;
            }
            change.accept(directory);
            long next = now + 1;
            now = next;
            directory.used = next;
            long memory = directory.memoryBytes();
            bytes += memory - directory.accountedBytes;
            directory.accountedBytes = memory;
            tooMuch = bytes > budgetBytes ? shrink(id) : Map.of();
        } finally {
            changing.unlock();
        }
        tooMuch.forEach(this::giveUp);
    }

    /** @return those that are to be given up; nothing is answered from them any more */
    @GuardedBy("changing")
    private Map<FileId, CachedDirectory> shrink(FileId newest) {
        record Candidate(FileId id, CachedDirectory directory, long used) {}
        List<Candidate> candidates = new ArrayList<>();
        directories.forEach((id, directory) -> {
            if (!directory.leaving) {
                candidates.add(new Candidate(id, directory, id.equals(newest) ? Long.MAX_VALUE : directory.used));
            }
        });
        candidates.sort(Comparator.comparingLong(Candidate::used));
        long wanted = (long) (budgetBytes * LOW_WATER);
        Map<FileId, CachedDirectory> leaving = new LinkedHashMap<>();
        for (Candidate candidate : candidates) {
            boolean enough = candidate.id().equals(newest) ? bytes <= budgetBytes : bytes <= wanted;
            if (enough) {
                break;
            }
            candidate.directory().leaving = true;
            bytes -= candidate.directory().accountedBytes;
            leaving.put(candidate.id(), candidate.directory());
        }
        return leaving;
    }

    /** What others keep of it goes first, then the lease; meanwhile nothing is answered from it. */
    private void giveUp(FileId id, CachedDirectory directory) {
        listener.drop(id, () -> {
            holder.giveUp(id);
            directories.remove(id, directory);
        });
    }

    int size() {
        return directories.size();
    }

    long memoryBytes() {
        changing.lock();
        try {
            return bytes;
        } finally {
            changing.unlock();
        }
    }
}
