package spigot.replica;

import com.google.protobuf.InvalidProtocolBufferException;
import java.io.IOException;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.catalog.client.RegistrationClient;
import spigot.linux.Errno;
import spigot.linux.SystemCallException;
import spigot.model.FileId;
import spigot.session.LeaseGrantor;
import spigot.session.Recall;
import spigot.transport.FailureException;
import spigot.transport.Link;
import spigot.transport.Messages;
import spigot.transport.PeerIdentity;
import spigot.transport.Responder;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Failure;
import spigot.transport.wire.Mutation;
import spigot.transport.wire.NamespaceReply;
import spigot.transport.wire.NamespaceRequest;
import spigot.transport.wire.OperationReply;
import spigot.transport.wire.OperationRequest;

/**
 * Changes names and attributes in the published trees for clients: first in the tree, as the file system decides what may be, then in
 * the catalog, all at once, then in the index. Each operation is done once, however often it is asked for. Safe for any thread: each
 * request runs on a virtual thread of its own, system calls on the I/O threads. Bounded: {@value #MOST} operations at a time.
 */
final class NamespaceService implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(NamespaceService.class);

    /** Fewer than the catalog keeps answers of. */
    static final int MOST = 512;

    private static final int ATTEMPTS = 5;

    /** Whoever waits longer is told so: its kernel may hold what others wait for. */
    private static final Duration TURN = Duration.ofMillis(200);

    private static final Duration LOOK = Duration.ofSeconds(3);
    private static final Duration CLOSING = Duration.ofSeconds(5);

    private final Parts parts;
    private final TreeOperation.Parts trees;
    private final Duration patience;
    private final AtomicLong numbers;
    private final Semaphore operations = new Semaphore(MOST);
    private final ReentrantLock lock = new ReentrantLock();

    /** Whose operations are under way; guarded by {@code lock}. */
    private final Set<Thread> threads = new HashSet<>();

    private boolean closed;

    /** What it works with. */
    record Parts(
            ReplicaConfiguration configuration,
            RegistrationClient catalog,
            CatalogLease catalogLease,
            LeaseGrantor leases,
            IoPool io,
            OperationLog log) {}

    /** @param life of the index: no two lives give their requests to the catalog the same numbers */
    NamespaceService(Parts parts, TreeOperation.Parts trees, long life) {
        this.parts = parts;
        this.trees = trees;
        this.patience = parts.configuration().times().patience();
        this.numbers = new AtomicLong(life << 32);
    }

    /** @return false when the request is not about names and attributes */
    boolean request(Link from, Envelope request, Responder responder) throws IOException, InterruptedException {
        if (!request.hasOperationRequest()) {
            return false;
        }
        if (from.peer().role() == PeerIdentity.Role.JOINER) {
            throw new FailureException(
                    Failure.Code.DENIED, "only members of the grid may change files: join it with a token first");
        }
        if (!operations.tryAcquire()) {
            throw new FailureException(
                    Failure.Code.TOO_MANY, "the server has its " + MOST + " operations under way: try again later");
        }
        try {
            begin(Thread.currentThread());
            OperationReply reply;
            try {
                reply = new Asked(from, request.getOperationRequest(), responder).answer();
            } finally {
                end(Thread.currentThread());
            }
            responder.reply(Envelope.newBuilder().setOperationReply(reply).build());
        } finally {
            operations.release();
        }
        return true;
    }

    private void begin(Thread thread) throws FailureException {
        lock.lock();
        try {
            if (closed) {
                throw new FailureException(Failure.Code.NOT_READY, "the server is stopping");
            }
            threads.add(thread);
        } finally {
            lock.unlock();
        }
    }

    private void end(Thread thread) {
        lock.lock();
        try {
            threads.remove(thread);
        } finally {
            lock.unlock();
        }
    }

    /** Ends what is under way, so that nobody uses the index any more; what was not finished is answered by the tree in the next life. */
    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            threads.forEach(Thread::interrupt);
        } finally {
            lock.unlock();
        }
        try {
            if (!operations.tryAcquire(MOST, CLOSING.toMillis(), TimeUnit.MILLISECONDS)) {
                LOG.warn("event=operations_not_ended after_millis={}", CLOSING.toMillis());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** How far an operation has come. */
    private enum Progress {
        NOTHING_DONE,
        INTENDED,
        DONE
    }

    /** One request. For one thread. */
    private final class Asked {
        private final Link from;
        private final OperationRequest request;
        private final Responder responder;
        private final Operation operation;
        private final OperationLog.Key key;
        private Progress progress = Progress.NOTHING_DONE;

        Asked(Link from, OperationRequest request, Responder responder) throws FailureException {
            this.from = from;
            this.request = request;
            this.responder = responder;
            this.operation = Operation.of(request);
            this.key = new OperationLog.Key(from.peer().id(), request.getSession(), request.getNumber());
            if (request.getSession() == 0 || request.getNumber() == 0) {
                throw Messages.bad("session and number", "0: say Hello to the catalog first, and count from 1");
            }
        }

        OperationReply answer() throws IOException, InterruptedException {
            parts.catalogLease().require();
            OperationLog.Begun begun = parts.log().begin(key, request.getAnsweredBelow());
            return switch (begun) {
                case OperationLog.Begun.Answered(var answer) -> stored(answer.toArray());
                case OperationLog.Begun.New() -> run(null);
                case OperationLog.Begun.Again(var intent) -> run(TreeOperation.Noted.of(intent.toArray()));
            };
        }

        private OperationReply run(TreeOperation.@Nullable Noted then) throws IOException, InterruptedException {
            boolean ended = false;
            try {
                OperationReply reply = attempts(then);
                if (progress == Progress.NOTHING_DONE && then == null) {
                    // Nothing was changed, and nothing noted.
                    parts.log().giveUp(key);
                } else {
                    parts.log().answer(key, reply.toByteArray());
                }
                ended = true;
                return reply;
            } catch (SystemCallException e) {
                if (progress != Progress.DONE) {
                    ended = true;
                    refused(then);
                }
                throw TreeErrors.failure(String.valueOf(e.getMessage()), e.errno());
            } finally {
                if (!ended) {
                    parts.log().giveUp(key);
                }
            }
        }

        private void refused(TreeOperation.@Nullable Noted then) throws IOException {
            if (progress == Progress.INTENDED || then != null) {
                parts.log().nothingDone(key);
            } else {
                parts.log().giveUp(key);
            }
        }

        private OperationReply attempts(TreeOperation.@Nullable Noted then) throws IOException, InterruptedException {
            PublishedTree tree = tree();
            for (int attempt = 1; ; attempt++) {
                OpenDirectory.BehindTheBackException behind;
                try (TreeOperation doing =
                        TreeOperation.of(operation, Operation.Who.of(request.getCaller()), trees, tree)) {
                    return attempt(doing, tree, then);
                } catch (OpenDirectory.BehindTheBackException e) {
                    behind = e;
                }
                if (attempt == ATTEMPTS) {
                    throw neverSettles(behind);
                }
                tree.lookNow(behind.directory(), behind.name().toArray(), LOOK);
            }
        }

        /** What is there and is not published, or changes all the time. */
        private IOException neverSettles(OpenDirectory.BehindTheBackException behind) {
            SystemCallException refusal = new SystemCallException(
                    "use the name",
                    behind.name() + ", which the server does not publish or others change all the time,",
                    operation instanceof Operation.Make ? Errno.EEXIST : Errno.EACCES);
            refusal.initCause(behind);
            return refusal;
        }

        private PublishedTree tree() throws IOException, InterruptedException {
            FileId id = switch (operation) {
                case Operation.Make make -> make.directory();
                case Operation.MakeLink link -> link.directory();
                case Operation.Remove remove -> remove.directory();
                case Operation.Rename rename -> rename.directory();
                case Operation.Set set -> set.file();
                case Operation.SetXattr set -> set.file();
            };
            ServedFile file = trees.files().await(id, LOOK);
            switch (operation) {
                case Operation.MakeLink link -> requireHere(link.file());
                case Operation.Rename rename -> requireHere(rename.toDirectory());
                case Operation.Make _, Operation.Remove _, Operation.Set _, Operation.SetXattr _ -> {}
            }
            PublishedTree tree = file.tree();
            Publication publication = tree.publication();
            if (publication.readOnly() || publication.replica()) {
                throw new SystemCallException("change", publication.path().toString(), Errno.EROFS);
            }
            if (tree.state() != PublicationState.SERVING) {
                throw new FailureException(Failure.newBuilder()
                        .setCode(Failure.Code.NOT_READY)
                        .setMessage("publication " + publication.path() + " is " + tree.state()
                                + ": it can be changed when it is served")
                        .setRetryAfterMillis(200)
                        .build());
            }
            return tree;
        }

        /** What another server publishes is beyond this file system; what nobody does is gone. */
        private void requireHere(FileId other) throws IOException, InterruptedException {
            if (trees.index().file(other) != null) {
                return;
            }
            int errno = Errno.EXDEV;
            try {
                parts.catalog().located(other);
            } catch (FailureException e) {
                if (e.code() != Failure.Code.NOT_FOUND) {
                    throw e;
                }
                errno = Errno.ENOENT;
            }
            throw new SystemCallException("link or move", "what is not published here, " + other, errno);
        }

        private OperationReply attempt(TreeOperation doing, PublishedTree tree, TreeOperation.@Nullable Noted then)
                throws IOException, InterruptedException {
            Set<FileId> directories = doing.directories();
            try (DirectoryTurns.Turn turn = tree.turns().enter(directories, TURN)) {
                if (!directories.containsAll(doing.directories())) {
                    throw new FailureException(Failure.newBuilder()
                            .setCode(Failure.Code.NOT_READY)
                            .setMessage("others have changed the same names: nothing was done yet")
                            .setRetryAfterMillis(10)
                            .build());
                }
                io(doing::prepare);
                return exclusively(doing, turn, then, doing.files());
            }
        }

        private OperationReply exclusively(
                TreeOperation doing,
                DirectoryTurns.Turn turn,
                TreeOperation.@Nullable Noted then,
                List<ServedFile> files)
                throws IOException, InterruptedException {
            if (files.isEmpty()) {
                return decide(doing, turn, then);
            }
            IndexedFile prepared = files.getFirst().row();
            return trees.updates().exclusively(files.getFirst(), () -> {
                if (!isStill(prepared, files.getFirst())) {
                    throw OpenDirectory.behindTheBack(trees.index(), prepared.id());
                }
                if (files.getFirst().isWritten()) {
                    trees.written().settle(files.getFirst());
                }
                return exclusively(doing, turn, then, files.subList(1, files.size()));
            });
        }

        /** What is committed to a file that is written changes its row all the time. */
        private boolean isStill(IndexedFile prepared, ServedFile file) {
            IndexedFile now = file.row();
            return file.isWritten()
                    ? now.inode() == prepared.inode()
                            && now.state() == prepared.state()
                            && now.homeEpoch() == prepared.homeEpoch()
                    : now.equals(prepared);
        }

        private OperationReply decide(TreeOperation doing, DirectoryTurns.Turn turn, TreeOperation.@Nullable Noted then)
                throws IOException, InterruptedException {
            if (then != null && doing.wasDone(then)) {
                return known(doing.subject(), true);
            }
            FileId answered = doing.answeredBy();
            if (answered != null) {
                return known(answered, false);
            }
            byte[] noted = doing.noted().bytes();
            parts.log().intend(key, noted);
            progress = Progress.INTENDED;
            FileId content = doing.changesContentOf();
            if (content == null) {
                return perform(doing, turn);
            }
            try (Recall _ = parts.leases().recall(List.of(content), patience)) {
                return perform(doing, turn);
            }
        }

        /** The answer to what was done before, or had not to be done. */
        private OperationReply known(@Nullable FileId id, boolean done) throws IOException, InterruptedException {
            OperationReply.Builder reply = OperationReply.newBuilder().setVisible(true);
            if (id != null) {
                var record = parts.catalog().located(id).record();
                boolean create = request.hasCreate();
                if (create && record.attributes().isDirectory()) {
                    throw new SystemCallException("create", "what is a directory", Errno.EISDIR);
                }
                reply.setRecord(Messages.wire(record)).setCreated(done && operation instanceof Operation.Make);
            }
            return reply.build();
        }

        private OperationReply perform(TreeOperation doing, DirectoryTurns.Turn turn)
                throws IOException, InterruptedException {
            turn.change();
            io(doing::perform);
            progress = Progress.DONE;
            boolean told = false;
            long registration = trees.files().beginRegistration();
            try {
                List<Mutation> mutations = parts.io().run(doing::mutations);
                if (request.getEarly()) {
                    responder.part(Envelope.newBuilder()
                            .setOperationReply(OperationReply.newBuilder().setRecord(doing.early()))
                            .build());
                }
                NamespaceReply reply = tell(doing, mutations);
                doing.apply(reply);
                told = true;
                OperationReply.Builder answer = doing.reply(reply).setVisible(true);
                if (reply.hasOwn()) {
                    answer.setOwn(reply.getOwn());
                }
                return answer.build();
            } finally {
                trees.files().endRegistration(registration);
                if (!told) {
                    doing.places()
                            .forEach(place -> doing.tree.lookAt(
                                    place.directory(), place.name().toArray()));
                }
            }
        }

        private NamespaceReply tell(TreeOperation doing, List<Mutation> mutations)
                throws IOException, InterruptedException {
            try {
                return parts.catalog()
                        .names(NamespaceRequest.newBuilder()
                                .setNumber(numbers.incrementAndGet())
                                .setPublication(Messages.bytes(doing.tree.rootId()))
                                .setActor(Messages.bytes(from.peer().id()))
                                .setActorSession(request.getSession())
                                .addAllMutations(mutations)
                                .build());
            } catch (IOException e) {
                LOG.info(
                        "event=operation_conflict operation={} client={} reason=\"{}\"",
                        request.getOperationCase(),
                        from.peer().name(),
                        e.getMessage());
                boolean conflict = e instanceof FailureException failure && failure.code() == Failure.Code.CONFLICT;
                if (conflict && parts.io().run(doing::undo)) {
                    progress = Progress.INTENDED;
                    SystemCallException taken =
                            new SystemCallException("make", "a name that another publication has", Errno.EEXIST);
                    taken.initCause(e);
                    throw taken;
                }
                FailureException later = new FailureException(Failure.newBuilder()
                        .setCode(Failure.Code.NOT_READY)
                        .setMessage("the catalog does not know the outcome yet: " + e.getMessage())
                        .setRetryAfterMillis(200)
                        .build());
                later.initCause(e);
                throw later;
            }
        }
    }

    private interface Step {
        void run() throws IOException;
    }

    private void io(Step step) throws IOException, InterruptedException {
        parts.io().run(() -> {
            step.run();
            return true;
        });
    }

    private static OperationReply stored(byte[] answer) throws IOException {
        try {
            return OperationReply.parseFrom(answer);
        } catch (InvalidProtocolBufferException e) {
            throw new IOException("a stored answer can't be read", e);
        }
    }
}
