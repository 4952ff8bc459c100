package spigot.replica;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;
import spigot.linux.Descriptor;
import spigot.linux.RootDirectory;
import spigot.model.FileId;
import spigot.model.RawBytes;
import spigot.transport.FailureException;
import spigot.transport.wire.Failure;

/**
 * One publication at work: its root directory, its state, and what of it has to be looked at. Safe for any thread; its {@link
 * TreeWorker} alone opens the root and takes what is to be done. {@code lock} guards {@code names} and the flags beside it, {@code
 * rootLock} that nobody uses a root that is being closed.
 */
final class PublishedTree {
    /** Beyond it the whole tree is looked at instead. */
    private static final int MAX_NAMES = 20_000;

    private static final int MAX_SKIPPED = 1_000;
    private static final Duration LATER = Duration.ofSeconds(1);
    private static final byte[] ITSELF = {};

    private final PublicationIndex index;
    private final DirectoryTurns turns = new DirectoryTurns();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition work = lock.newCondition();
    private final Condition done = lock.newCondition();
    private Map<FileId, Set<RawBytes>> names = new HashMap<>();
    private int nameCount;
    private final Map<FileId, Set<RawBytes>> later = new HashMap<>();
    private long laterDue;
    private boolean rescan;
    private boolean urgent;
    private boolean closed;
    private long asked;
    private long looked;

    private final Map<RawBytes, Skipped> skipped = new LinkedHashMap<>();
    private long skippedBeyond;

    private volatile Publication publication;
    private final ReentrantReadWriteLock rootLock = new ReentrantReadWriteLock();
    private @Nullable RootDirectory root;
    private byte[] fileName = ITSELF;
    private volatile PublicationState state = PublicationState.STARTING;
    private volatile String detail = "";
    private volatile boolean hasCopies;
    private volatile long seen;
    private volatile long registered;
    private volatile long confirmedIn = ServedFile.NEVER;
    private volatile Capacity capacity = new Capacity(0, 0, 0);

    /** Of the file system of the root. */
    record Capacity(long device, long totalBytes, long availableBytes) {}

    /** What is to be looked at: names of directories, {@link #ITSELF} for a directory's own attributes. */
    record Work(boolean rescan, Map<FileId, Set<RawBytes>> names, long upTo) {
        boolean isEmpty() {
            return !rescan && names.isEmpty();
        }
    }

    PublishedTree(PublicationIndex index, Publication publication) {
        this.index = index;
        this.publication = publication;
    }

    Publication publication() {
        return publication;
    }

    /** Who changes its directories. */
    DirectoryTurns turns() {
        return turns;
    }

    int number() {
        return publication.number();
    }

    void setPublication(Publication changed) {
        publication = changed;
    }

    /** @throws FailureException NOT_READY before the catalog has accepted the publication */
    FileId rootId() throws FailureException {
        FileId id = publication.root();
        if (id == null) {
            throw notReady("publication " + publication.path() + " is not accepted by the catalog yet");
        }
        return id;
    }

    // ---- the source

    /**
     * To be called by the worker only, and as {@link #root} is for it, too: nobody else uses the directory while it is exchanged.
     *
     * @param newFileName of a single published file in the directory; empty when the directory itself is published
     */
    void setRoot(@Nullable RootDirectory directory, byte[] newFileName) {
        rootLock.writeLock().lock();
        try {
            RootDirectory before = root;
            root = directory;
            fileName = newFileName;
            if (before != null) {
                before.close();
            }
        } finally {
            rootLock.writeLock().unlock();
        }
    }

    /** For the worker. */
    boolean isSingleFile() {
        rootLock.readLock().lock();
        try {
            return fileName.length > 0;
        } finally {
            rootLock.readLock().unlock();
        }
    }

    /**
     * For the worker.
     *
     * @throws FailureException NOT_READY while the source is missing
     */
    RootDirectory root() throws FailureException {
        rootLock.readLock().lock();
        try {
            return rootLocked();
        } finally {
            rootLock.readLock().unlock();
        }
    }

    private RootDirectory rootLocked() throws FailureException {
        RootDirectory directory = root;
        if (directory == null) {
            throw notReady("the source of " + publication.path() + ", " + publication.source()
                    + ", can't be read at its server: " + (detail.isEmpty() ? "not opened yet" : detail));
        }
        return directory;
    }

    /** @param path from the published root */
    Descriptor locate(byte[] path) throws IOException {
        rootLock.readLock().lock();
        try {
            return rootLocked().locate(path.length == 0 ? fileName : path);
        } finally {
            rootLock.readLock().unlock();
        }
    }

    private static FailureException notReady(String message) {
        return new FailureException(Failure.newBuilder()
                .setCode(Failure.Code.NOT_READY)
                .setMessage(message)
                .setRetryAfterMillis(1000)
                .build());
    }

    // ---- what has to be looked at

    /** A name in a directory may have changed. */
    void lookAt(FileId directory, byte[] name) {
        lock.lock();
        try {
            if (nameCount >= MAX_NAMES) {
                rescan = true;
                names = new HashMap<>();
                nameCount = 0;
            } else if (names.computeIfAbsent(directory, _ -> new HashSet<>()).add(RawBytes.copyOf(name))) {
                nameCount++;
            }
            work.signal();
        } finally {
            lock.unlock();
        }
    }

    /**
     * A name in a directory is being changed all the time: it is looked at again in a while, together with others, as each look costs
     * the catalog a version.
     */
    void lookLater(FileId directory, byte[] name) {
        lock.lock();
        try {
            if (later.isEmpty()) {
                laterDue = System.nanoTime() + LATER.toNanos();
            }
            later.computeIfAbsent(directory, _ -> new HashSet<>()).add(RawBytes.copyOf(name));
        } finally {
            lock.unlock();
        }
    }

    /** The directory's own attributes may have changed. */
    void lookAtDirectory(FileId directory) {
        lookAt(directory, ITSELF);
    }

    /** A file may have been changed, replaced or removed. */
    void lookAt(FileId file) throws IOException {
        IndexedName name = index.anyName(file);
        if (name != null) {
            lookAt(name.directory(), name.name().toArray());
        } else if (file.equals(publication.root())) {
            lookAtDirectory(file);
        }
    }

    /**
     * As {@link #lookAt(FileId)}, at once; waits until it is done, but not longer than this.
     */
    void lookNow(FileId file, Duration atMost) throws IOException, InterruptedException {
        lookAt(file);
        awaitLook(atMost);
    }

    /** As {@link #lookAt(FileId, byte[])}, in the same way. */
    void lookNow(FileId directory, byte[] name, Duration atMost) throws InterruptedException {
        lookAt(directory, name);
        awaitLook(atMost);
    }

    private void awaitLook(Duration atMost) throws InterruptedException {
        lock.lock();
        try {
            long ticket = ++asked;
            urgent = true;
            work.signalAll();
            long left = atMost.toNanos();
            while (!closed && looked < ticket && left > 0) {
                left = done.awaitNanos(left);
            }
        } finally {
            lock.unlock();
        }
    }

    /** What was taken has been looked at. */
    void looked(Work taken) {
        lock.lock();
        try {
            looked = Math.max(looked, taken.upTo());
            done.signalAll();
        } finally {
            lock.unlock();
        }
    }

    void rescan() {
        lock.lock();
        try {
            rescan = true;
            work.signal();
        } finally {
            lock.unlock();
        }
    }

    /** Waits for something to do; what came by the end of the time, maybe nothing. */
    Work await(Duration atMost) throws InterruptedException {
        lock.lock();
        try {
            long end = System.nanoTime() + atMost.toNanos();
            takeDue();
            for (long left = atMost.toNanos(); isIdle() && left > 0; left = end - System.nanoTime()) {
                boolean _ = work.await(untilDue(left), TimeUnit.NANOSECONDS);
                takeDue();
            }
            return takeLocked();
        } finally {
            lock.unlock();
        }
    }

    private boolean isIdle() {
        return !closed && !rescan && !urgent && names.isEmpty();
    }

    private long untilDue(long nanos) {
        return later.isEmpty() ? nanos : Math.clamp(laterDue - System.nanoTime(), 1, nanos);
    }

    private void takeDue() {
        if (!later.isEmpty() && laterDue - System.nanoTime() <= 0) {
            later.forEach((directory, some) ->
                    names.computeIfAbsent(directory, _ -> new HashSet<>()).addAll(some));
            later.clear();
        }
    }

    /** What there is to do now. */
    Work take() {
        lock.lock();
        try {
            return takeLocked();
        } finally {
            lock.unlock();
        }
    }

    /** Lets time pass so that changes which come together are looked at together; ends early when somebody waits, or the tree is closed. */
    void pause(Duration time) throws InterruptedException {
        lock.lock();
        try {
            long end = System.nanoTime() + time.toNanos();
            for (long left = time.toNanos(); !closed && !urgent && left > 0; left = end - System.nanoTime()) {
                boolean _ = work.await(left, TimeUnit.NANOSECONDS);
            }
        } finally {
            lock.unlock();
        }
    }

    private Work takeLocked() {
        Work taken = new Work(rescan, names, asked);
        urgent = false;
        rescan = false;
        names = new HashMap<>();
        nameCount = 0;
        return taken;
    }

    void end() {
        lock.lock();
        try {
            closed = true;
            work.signalAll();
            done.signalAll();
        } finally {
            lock.unlock();
        }
    }

    boolean hasEnded() {
        lock.lock();
        try {
            return closed;
        } finally {
            lock.unlock();
        }
    }

    // ---- what is known of it

    String detail() {
        return detail;
    }

    void setState(PublicationState newState, String why) {
        detail = why;
        state = newState;
    }

    PublicationState state() {
        return state;
    }

    /** All rows of the publication are the catalog's. */
    void confirm(long confirmation) {
        confirmedIn = confirmation;
    }

    boolean isConfirmed(long confirmation) {
        return confirmedIn == confirmation;
    }

    /** Some of its files have another home: they may have to be compared. */
    void noteCopies() {
        hasCopies = true;
    }

    boolean hasCopies() {
        return hasCopies;
    }

    void setCapacity(Capacity now) {
        capacity = now;
    }

    Capacity capacity() {
        return capacity;
    }

    void progress(long entriesSeen, long entriesRegistered) {
        seen = entriesSeen;
        registered = entriesRegistered;
    }

    void skip(byte[] path, int errno, String reason) {
        RawBytes key = RawBytes.copyOf(path);
        locked(() -> {
            if (skipped.size() < MAX_SKIPPED || skipped.containsKey(key)) {
                skipped.put(key, new Skipped(publication.source(), key, errno, reason));
            } else {
                skippedBeyond++;
            }
        });
    }

    void notSkipped(byte[] path) {
        locked(() -> skipped.remove(RawBytes.copyOf(path)));
    }

    void forgetSkipped() {
        locked(() -> {
            skipped.clear();
            skippedBeyond = 0;
        });
    }

    List<Skipped> skipped() {
        lock.lock();
        try {
            return List.copyOf(skipped.values());
        } finally {
            lock.unlock();
        }
    }

    long skippedCount() {
        lock.lock();
        try {
            return skipped.size() + skippedBeyond;
        } finally {
            lock.unlock();
        }
    }

    private void locked(Runnable change) {
        lock.lock();
        try {
            change.run();
        } finally {
            lock.unlock();
        }
    }

    PublicationStatus status() throws IOException {
        Publication now = publication;
        return new PublicationStatus(
                now.source(),
                now.path(),
                now.readOnly(),
                now.replica(),
                state,
                detail,
                index.entries(now.number()),
                seen,
                registered,
                skippedCount());
    }

    /** For messages: a path below the source. */
    static byte[] join(byte[] directory, byte[] name) {
        if (directory.length == 0) {
            return name;
        }
        ByteArrayOutputStream path = new ByteArrayOutputStream(directory.length + 1 + name.length);
        path.writeBytes(directory);
        path.write('/');
        path.writeBytes(name);
        return path.toByteArray();
    }
}
