package spigot.replica;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.model.FileId;
import spigot.session.LeaseGrantor;

/**
 * Looks now and then at the files that somebody holds a lease on, and at those that were read shortly after a change. One platform
 * thread looks; what has changed is told to the catalog on virtual threads, at most {@value #CHANGES} at a time.
 */
final class WatchedFiles implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(WatchedFiles.class);
    private static final int CHANGES = 32;
    private static final int BUFFER_BYTES = 4096;

    private final ServedFiles files;
    private final FileUpdates updates;
    private final LeaseGrantor leases;
    private final Duration interval;
    private final Semaphore changes = new Semaphore(CHANGES);
    private final Set<FileId> changing = ConcurrentHashMap.newKeySet();
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);
    private final Thread thread;

    WatchedFiles(ServedFiles files, FileUpdates updates, LeaseGrantor leases, Duration interval) {
        this.files = files;
        this.updates = updates;
        this.leases = leases;
        this.interval = interval;
        this.thread = Thread.ofPlatform().name("leased-files").daemon().unstarted(this::run);
    }

    void start() {
        thread.start();
    }

    private void run() {
        try {
            while (true) {
                Thread.sleep(interval);
                for (ServedFile file : files.watched()) {
                    look(file);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void look(ServedFile file) throws InterruptedException {
        if (file.isLeased() && !leases.isLeased(file.id())) {
            file.setLeased(false);
            // A lease that was given in between has been noted on the file before or is noted now.
            file.setLeased(leases.isLeased(file.id()));
        }
        try {
            if (updates.hasChanged(file)) {
                if (changing.add(file.id())) {
                    changes.acquire();
                    Thread.startVirtualThread(() -> bringUpToDate(file));
                }
            } else {
                updates.settle(file, buffer);
            }
        } catch (IOException e) {
            // Gone or not to be read now: whoever opens it is told.
            file.setLeased(false);
            LOG.debug("leased file can't be looked at file={} reason=\"{}\"", file.id(), e.getMessage());
        }
    }

    private void bringUpToDate(ServedFile file) {
        try {
            updates.bringUpToDate(file);
        } catch (IOException e) {
            LOG.debug("change not told, later again file={} reason=\"{}\"", file.id(), e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            changing.remove(file.id());
            changes.release();
        }
    }

    @Override
    public void close() {
        thread.interrupt();
    }
}
