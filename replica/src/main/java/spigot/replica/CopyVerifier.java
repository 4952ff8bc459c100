package spigot.replica;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.catalog.client.Located;
import spigot.catalog.client.RegistrationClient;
import spigot.linux.Descriptor;
import spigot.linux.SymbolicLinks;
import spigot.model.FileId;
import spigot.model.FileRecord;
import spigot.model.NodeId;
import spigot.model.RawBytes;
import spigot.model.Replica;
import spigot.model.ReplicaState;
import spigot.transport.FailureException;
import spigot.transport.Link;
import spigot.transport.Messages;
import spigot.transport.wire.DigestReply;
import spigot.transport.wire.DigestRequest;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Failure;
import spigot.transport.wire.Registered;

/**
 * Compares further copies with their homes, fragment by fragment, and tells the catalog. What fails on the way is found again among
 * what the catalog lists as UNVERIFIED, which is asked for now and then. Safe for any thread; virtual threads of its own do the work,
 * at most {@value #PARALLEL} files at a time, {@value #MAX_QUEUED} wait.
 */
final class CopyVerifier implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(CopyVerifier.class);
    private static final int PARALLEL = 8;
    private static final int MAX_INTERVALS = 12;
    private static final int MAX_QUEUED = 100_000;
    private static final int MAX_REPORTED = 500;
    private static final int FRAGMENTS_PER_REQUEST = 64;
    private static final Duration DIGEST_TIMEOUT = Duration.ofMinutes(5);

    private final Parts parts;
    private final Supplier<Collection<PublishedTree>> trees;
    private final Duration interval;
    private final Duration patience;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Set<FileId> queue = new LinkedHashSet<>();
    private final Set<FileId> underWay = new LinkedHashSet<>();
    private final BlockingQueue<Outcome> outcomes = new LinkedBlockingQueue<>(MAX_REPORTED);
    private final List<Thread> threads = new ArrayList<>();

    /** What it works with. */
    record Parts(
            NodeId self,
            RegistrationClient catalog,
            PublicationIndex index,
            ServedFiles files,
            FileUpdates updates,
            FragmentDigests digests,
            PeerSource peers) {}

    private record Outcome(ServedFile file, IndexedFile compared, FileRecord with, ReplicaState state, String detail) {}

    CopyVerifier(Parts parts, Supplier<Collection<PublishedTree>> trees, Duration interval, Duration patience) {
        this.parts = parts;
        this.trees = trees;
        this.interval = interval;
        this.patience = patience;
    }

    void start() {
        for (int i = 0; i < PARALLEL; i++) {
            threads.add(Thread.ofVirtual().name("copy-verifier-" + i).start(this::compareAll));
        }
        threads.add(Thread.ofVirtual().name("copy-verifier-report").start(this::reportAll));
        threads.add(Thread.ofVirtual().name("copy-verifier-find").start(this::findAll));
    }

    void add(FileId id) {
        lock.lock();
        try {
            if (queue.size() < MAX_QUEUED && !underWay.contains(id) && queue.add(id)) {
                changed.signal();
            }
        } finally {
            lock.unlock();
        }
    }

    long waiting() {
        lock.lock();
        try {
            return queue.size() + (long) underWay.size();
        } finally {
            lock.unlock();
        }
    }

    // ---- finding

    private void findAll() {
        try {
            // The catalog looks through all copies for an answer: seldom, while there is nothing to find.
            Duration pause = interval;
            while (true) {
                boolean found = false;
                for (PublishedTree tree : trees.get()) {
                    found |= tree.hasCopies() && !tree.hasEnded() && find(tree);
                }
                pause = found ? interval : pause.multipliedBy(2);
                pause = pause.compareTo(interval.multipliedBy(MAX_INTERVALS)) > 0
                        ? interval.multipliedBy(MAX_INTERVALS)
                        : pause;
                Thread.sleep(pause);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private boolean find(PublishedTree tree) throws InterruptedException {
        try {
            List<Registered> copies = parts.catalog().served(tree.rootId(), ReplicaState.UNVERIFIED);
            for (Registered copy : copies) {
                add(Messages.fileId(copy.getId()));
            }
            return !copies.isEmpty();
        } catch (IOException e) {
            LOG.debug("copies to compare could not be asked for reason=\"{}\"", e.getMessage());
            return false;
        }
    }

    // ---- comparing

    private void compareAll() {
        try {
            while (true) {
                FileId id = next();
                try {
                    Outcome outcome = compare(id);
                    if (outcome != null) {
                        outcomes.put(outcome);
                    }
                } catch (IOException e) {
                    LOG.debug("comparing failed, later again file={} reason=\"{}\"", id, e.getMessage());
                } catch (RuntimeException e) {
                    LOG.error("comparing failed file={}", id, e);
                } finally {
                    done(id);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private FileId next() throws InterruptedException {
        lock.lock();
        try {
            while (queue.isEmpty()) {
                changed.await();
            }
            FileId id = queue.iterator().next();
            queue.remove(id);
            underWay.add(id);
            return id;
        } finally {
            lock.unlock();
        }
    }

    private void done(FileId id) {
        lock.lock();
        try {
            underWay.remove(id);
        } finally {
            lock.unlock();
        }
    }

    /** @return null when it can't be said now */
    private @Nullable Outcome compare(FileId id) throws IOException, InterruptedException {
        ServedFile file = parts.files().find(id);
        if (file == null) {
            return null;
        }
        Located located = parts.catalog().located(id);
        FileRecord home = located.record();
        if (home.home().equals(parts.self())) {
            parts.updates().confirm(file);
            return null;
        }
        IndexedFile row = file.row();
        if (home.attributes().kind() != row.attributes().kind()) {
            return differs(
                    file,
                    row,
                    home,
                    "it is a " + row.attributes().kind() + ", the home's a "
                            + home.attributes().kind());
        }
        if (!row.attributes().isRegular()) {
            return sameTarget(file, home)
                    ? new Outcome(file, row, home, ReplicaState.VERIFIED, "")
                    : differs(file, row, home, "it leads elsewhere than the home's symbolic link");
        }
        if (parts.updates().hasChanged(file)) {
            file.tree().lookAt(id);
            return null;
        }
        if (home.attributes().size() != row.attributes().size()) {
            return differs(
                    file,
                    row,
                    home,
                    "it has " + row.attributes().size() + " bytes, the home's "
                            + home.attributes().size());
        }
        return row.attributes().size() == 0
                ? new Outcome(file, row, home, ReplicaState.VERIFIED, "")
                : compareFragments(file, row, home, homeAmong(located.replicas()));
    }

    private boolean sameTarget(ServedFile file, FileRecord home) throws IOException {
        byte[] path = parts.index().path(file.id(), file.tree().rootId());
        if (!file.row().attributes().kind().equals(spigot.model.FileKind.SYMLINK) || path == null) {
            return true;
        }
        try (Descriptor link = file.tree().locate(path)) {
            return RawBytes.copyOf(SymbolicLinks.target(link.number(), new byte[0]))
                    .equals(home.symlinkTarget());
        }
    }

    private static @Nullable Replica homeAmong(List<Replica> replicas) {
        return replicas.stream()
                .filter(replica -> replica.state() == ReplicaState.HOME)
                .findFirst()
                .orElse(null);
    }

    private @Nullable Outcome compareFragments(ServedFile file, IndexedFile row, FileRecord home, @Nullable Replica at)
            throws IOException, InterruptedException {
        if (at == null) {
            return null;
        }
        int fragmentBytes = home.fragmentBytes();
        long fragments = Math.ceilDiv(row.attributes().size(), (long) fragmentBytes);
        for (long first = 0; first < fragments; first += FRAGMENTS_PER_REQUEST) {
            int count = (int) Math.min(FRAGMENTS_PER_REQUEST, fragments - first);
            List<ByteString> theirs = homeDigests(home, at, first, count);
            List<byte[]> mine = parts.digests().of(file, row, fragmentBytes, first, count);
            if (mine == null) {
                file.tree().lookAt(file.id());
                return null;
            }
            for (int i = 0; i < count; i++) {
                if (i >= theirs.size()
                        || i >= mine.size()
                        || !Arrays.equals(theirs.get(i).toByteArray(), mine.get(i))) {
                    return differs(
                            file,
                            row,
                            home,
                            "its bytes differ from the home's in the fragment at offset "
                                    + (first + i) * fragmentBytes);
                }
            }
        }
        return new Outcome(file, row, home, ReplicaState.VERIFIED, "");
    }

    private List<ByteString> homeDigests(FileRecord home, Replica at, long first, int count)
            throws IOException, InterruptedException {
        Link link = parts.peers().to(at.server(), at.address()).link(patience);
        DigestReply reply = link.call(
                        Envelope.newBuilder()
                                .setDigestRequest(DigestRequest.newBuilder()
                                        .setId(Messages.bytes(home.id()))
                                        .setVersion(Messages.wire(home.version()))
                                        .setFirstFragment(first)
                                        .setFragments(count))
                                .build(),
                        DIGEST_TIMEOUT)
                .getDigestReply();
        if (reply.getSize() != home.attributes().size()) {
            throw new FailureException(
                    Failure.Code.VERSION_GONE, "the home's file " + home.id() + " has another size by now");
        }
        return reply.getSha256List();
    }

    private static Outcome differs(ServedFile file, IndexedFile row, FileRecord home, String detail) {
        LOG.info("copy differs file={} version={} detail=\"{}\"", file.id(), home.version(), detail);
        return new Outcome(file, row, home, ReplicaState.DIFFERS, detail);
    }

    // ---- reporting

    private void reportAll() {
        try {
            while (true) {
                List<Outcome> some = new ArrayList<>();
                some.add(outcomes.take());
                // Those that come with it save requests.
                for (Outcome next = outcomes.poll(20, TimeUnit.MILLISECONDS);
                        next != null;
                        next = some.size() < MAX_REPORTED ? outcomes.poll(5, TimeUnit.MILLISECONDS) : null) {
                    some.add(next);
                }
                try {
                    report(some);
                } catch (IOException e) {
                    LOG.warn("outcomes of comparisons not told, later again reason=\"{}\"", e.getMessage());
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** This server's own rows first: who hears from the catalog that it may read here must not be refused. */
    private void report(List<Outcome> some) throws IOException, InterruptedException {
        List<RegistrationClient.Comparison> told = new ArrayList<>();
        for (Outcome outcome : some) {
            FileRecord with = outcome.with();
            if (parts.updates().takeOutcome(outcome.file(), outcome.compared(), with, outcome.state())) {
                told.add(new RegistrationClient.Comparison(
                        with.id(), outcome.state(), with.version(), outcome.detail()));
            }
        }
        parts.catalog().replicaStates(told);
    }

    @Override
    public void close() {
        threads.forEach(Thread::interrupt);
    }
}
