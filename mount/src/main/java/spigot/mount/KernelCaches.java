package spigot.mount;

import java.io.IOException;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.cache.DataListener;
import spigot.catalog.client.NamespaceListener;
import spigot.fuse.FuseSession;
import spigot.fuse.Notifier;
import spigot.model.FileId;

/**
 * What the kernel holds of a mount under the leases of directories and files, and how it is taken back: the listener that the
 * catalog client and the file client of a mount are started with, before the mount itself. Safe for any thread; the two
 * listener methods return at once and do their work on a virtual thread, of which there is at most one for each lease that
 * ends.
 *
 * <p>Names are taken back by the kernel's epoch (FUSE_NOTIFY_INC_EPOCH, Linux 6.16): it expires all names of the mount in
 * microseconds and, unlike an invalidation of one entry, waits for nothing. What is still leased costs one LOOKUP each
 * afterwards, which is answered from memory. A kernel without it is never told to keep a name.
 *
 * <p>The order of a recall: the lease has ended already, so nothing new is given to the kernel to keep; {@link ReplyGate}
 * waits for answers that are just being written; then the kernel is told; then {@code done} runs.
 */
public final class KernelCaches implements NamespaceListener, DataListener {
    private static final Logger log = LoggerFactory.getLogger(KernelCaches.class);

    /** No name can hold a slash, so that this one is never found: what counts is that the kernel takes the directory's lock. */
    private static final byte[] FENCE = {'/'};

    private final NodeTable nodes = new NodeTable();
    private final ReplyGate gate = new ReplyGate();
    private final MountStatistics statistics = new MountStatistics();
    private final OpenFiles open;
    private final PendingLookups lookups = new PendingLookups();

    /** Handles whose last answer gave the kernel entries that it may still be working on. */
    private final Set<DirectoryHandle> entriesInFlight = ConcurrentHashMap.newKeySet();

    private volatile @Nullable Notices notices;
    private volatile long nameValidNanos;

    public KernelCaches() {
        this(MountLimits.DEFAULT);
    }

    public KernelCaches(MountLimits limits) {
        open = new OpenFiles(limits.openFiles());
    }

    NodeTable nodes() {
        return nodes;
    }

    ReplyGate gate() {
        return gate;
    }

    OpenFiles open() {
        return open;
    }

    MountStatistics statistics() {
        return statistics;
    }

    /** How long the kernel may believe a name that a lease covers. */
    long nameValidNanos() {
        return nameValidNanos;
    }

    /** From now on the kernel may hold something. Called once, before the first request. */
    void attach(FuseSession session) {
        Notifier notifier = session.notifier();
        Notices attached = new Notices(notifier);
        notices = attached;
        // Tried out in the background, as the mount is not served yet; until it is known names are not kept.
        CompletableFuture<Boolean> _ = notifier.incrementEpoch().whenComplete((_, failure) -> {
            if (failure == null) {
                nameValidNanos = MountState.LEASED_NANOS;
            } else {
                log.info("event=kernel_without_epochs consequence=\"the kernel asks for each name again\"");
            }
        });
    }

    // ---- names and attributes ----

    @Override
    public void drop(FileId directory, Runnable done) {
        statistics.dropped();
        Notices told = notices;
        if (told == null) {
            done.run();
            return;
        }
        Thread.ofVirtual().name("drop-directory").start(() -> {
            try {
                dropDirectory(told, directory);
                done.run();
            } catch (InterruptedException | IOException | RuntimeException e) {
                failed("directory", directory, e);
            }
        });
    }

    private void dropDirectory(Notices told, FileId directory) throws IOException, InterruptedException {
        gate.await(directory);
        NodeTable.Given given = nodes.takeGiven(directory);
        long[] children = nodes.takeLeasedChildren(directory);
        if (given != null && given.names()) {
            if (entriesInFlight.stream().anyMatch(handle -> handle.directory().equals(directory))) {
                // An answer to READDIRPLUS that was taken but not worked off becomes names of the new epoch: wait until
                // the
                // reader leaves the directory's lock. A LOOKUP that waits for the catalog holds that lock too, and
                // perhaps
                // waits for this very lease to be given back, so these are waited for here, where nobody is blocked by
                // it.
                lookups.awaitNone(directory);
                told.expireEntry(given.node(), FENCE);
            }
            told.expireAllNames();
        }
        if (given != null && given.listing()) {
            told.dropPagesAndAttributes(given.node());
        } else if (given != null && given.attributes()) {
            told.dropAttributes(given.node());
        }
        told.dropAttributes(children);
    }

    /** Runs what answers a LOOKUP in the directory after waiting for the catalog. */
    void looking(FileId directory, PendingLookups.Body body) throws IOException, InterruptedException {
        lookups.run(directory, body);
    }

    /** The handle's reader is about to get entries that the kernel may keep; called inside of the gate. */
    void entriesGiven(DirectoryHandle handle) {
        entriesInFlight.add(handle);
    }

    /** The kernel has worked off the last answer that the handle's reader got. */
    void entriesTaken(DirectoryHandle handle) {
        entriesInFlight.remove(handle);
    }

    /** Makes the kernel ask for a node's attributes; not to be called by a worker. */
    void dropAttributes(long node) throws IOException, InterruptedException {
        Notices told = notices;
        if (told != null) {
            told.dropAttributes(node);
        }
    }

    // ---- data ----

    @Override
    public void changed(FileId file, Runnable done) {
        statistics.changed();
        Notices told = notices;
        if (told == null) {
            done.run();
            return;
        }
        OpenNode shared = open.node(file);
        if (shared != null) {
            shared.change();
        }
        Thread.ofVirtual().name("drop-pages").start(() -> {
            try {
                long node = nodes.node(file);
                if (node != 0) {
                    told.dropAttributes(node);
                    new PageDrop(told, gate, node, file, open).run();
                }
                done.run();
                // A read that began before this moment may still have got bytes of before the change.
                OpenNode still = open.node(file);
                if (still != null) {
                    still.change();
                }
            } catch (InterruptedException | IOException | RuntimeException e) {
                failed("file", file, e);
            }
        });
    }

    /**
     * The kernel refused for a reason that is not the end of the mount: it may still hold what it should not, so the lease is
     * not given back, and the grantor waits until it has run out.
     */
    private void failed(String kind, FileId id, Exception e) {
        log.error("event=kernel_did_not_drop {}={}", kind, id, e);
    }
}
