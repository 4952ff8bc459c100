package spigot.replica;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.model.NodeId;
import spigot.model.RawBytes;
import spigot.transport.FailureException;
import spigot.transport.wire.Failure;

/**
 * What this server was asked to do, and what it has answered, so that each operation is done once however often it is asked for and
 * whenever this process dies: the intent is durable before the operation begins, the answer before it is sent. Answers are kept until
 * the client has said that it has them.
 *
 * <p>A file that only grows, records with checksums; it is written anew when little of it matters any more. Several operations share
 * one fdatasync: whoever comes while one is going on waits for the next. Safe for any thread; blocks on the disk. Bounded: {@value
 * #MOST_SESSIONS} sessions, {@value #MOST_OF_A_SESSION} operations of each and {@value #MOST} in all that are not known to have been
 * heard; beyond the first and last bound the session that was heard longest ago is forgotten.
 */
final class OperationLog implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(OperationLog.class);
    static final int MOST_SESSIONS = 4096;
    static final int MOST_OF_A_SESSION = 1024;
    static final int MOST = 65_536;
    private static final long COMPACT_BYTES = 8L << 20;
    private static final int HEADER_BYTES = 8;
    private static final int KEY_BYTES = 1 + 16 + 8 + 8;
    private static final int MAX_RECORD_BYTES = 1 << 20;
    private static final String NAME = "operations";

    private static final byte INTENT = 1;
    private static final byte ANSWER = 2;
    private static final byte NOTHING_DONE = 3;
    private static final byte HEARD_BELOW = 4;

    private final Path file;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Map<Session, Operations> sessions = new LinkedHashMap<>(16, 0.75f, true);
    private FileChannel channel;
    private int kept;
    private long liveBytes;

    /** What was written and is durable, counted over all files since the start: {@code base} is what earlier files had. */
    private long base;

    private long written;
    private long synced;
    private boolean syncing;
    private @Nullable IOException broken;

    /** An operation, as its client names it. */
    record Key(NodeId client, long session, long number) {}

    private record Session(NodeId client, long session) {}

    private enum State {
        RUNNING,
        /** It was begun in an earlier life, or given up halfway: the tree shows whether it was done. */
        INTENT,
        ANSWERED
    }

    private static final class Operations {
        final TreeMap<Long, Operation> byNumber = new TreeMap<>(Long::compareUnsigned);
        long heardBelow;
    }

    private static final class Operation {
        State state;

        /** The intent, or the answer when {@code hasAnswer}; empty before either is written. */
        RawBytes bytes;

        boolean hasAnswer;

        Operation(State state, RawBytes bytes) {
            this.state = state;
            this.bytes = bytes;
        }
    }

    /** What is known of an operation that is asked for. */
    sealed interface Begun {
        /** It was not asked for before; to be ended by {@link #answer}, {@link #nothingDone} or {@link #giveUp}. */
        record New() implements Begun {}

        /** It was begun, and maybe done; to be ended in the same way. */
        record Again(RawBytes intent) implements Begun {}

        record Answered(RawBytes answer) implements Begun {}
    }

    /** @param directory the server's data directory */
    OperationLog(Path directory) throws IOException {
        file = directory.resolve(NAME);
        channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        long end = read();
        channel.truncate(end);
        channel.position(end);
        written = end;
        synced = end;
    }

    // ---- operations

    /**
     * Waits while the same operation is under way.
     *
     * @param heardBelow the client has all answers to lower numbers
     * @throws FailureException BAD_REQUEST when the client has said before that it has this answer; TOO_MANY when it does not say so
     */
    Begun begin(Key key, long heardBelow) throws IOException, InterruptedException {
        lock.lock();
        try {
            requireUnbroken();
            Session session = new Session(key.client(), key.session());
            Operations operations = sessions.computeIfAbsent(session, _ -> new Operations());
            heard(session, operations, heardBelow);
            if (Long.compareUnsigned(key.number(), operations.heardBelow) < 0) {
                throw new FailureException(
                        Failure.Code.BAD_REQUEST,
                        "the answer to operation " + Long.toUnsignedString(key.number()) + " was heard already");
            }
            Operation known = operations.byNumber.get(key.number());
            while (known != null && known.state == State.RUNNING) {
                changed.await();
                known = operations.byNumber.get(key.number());
            }
            if (known == null) {
                if (operations.byNumber.size() >= MOST_OF_A_SESSION) {
                    throw new FailureException(
                            Failure.Code.TOO_MANY,
                            MOST_OF_A_SESSION + " answers were not heard: say which ones have come");
                }
                operations.byNumber.put(key.number(), new Operation(State.RUNNING, RawBytes.EMPTY));
                kept++;
                forgetSome();
                return new Begun.New();
            }
            if (known.state == State.ANSWERED) {
                return new Begun.Answered(known.bytes);
            }
            known.state = State.RUNNING;
            return new Begun.Again(known.bytes);
        } finally {
            lock.unlock();
        }
    }

    /** Durable when it returns: the operation may begin. */
    void intend(Key key, byte[] intent) throws IOException, InterruptedException {
        sync(write(INTENT, key, intent, true));
    }

    /** Durable when it returns: the answer may be sent. */
    void answer(Key key, byte[] answer) throws IOException, InterruptedException {
        long end = write(ANSWER, key, answer, true);
        try {
            sync(end);
        } finally {
            finish(key, State.ANSWERED);
        }
    }

    /** The operation was refused and has changed nothing: asked for again it is tried again. */
    void nothingDone(Key key) throws IOException {
        try {
            write(NOTHING_DONE, key, new byte[0], false);
        } finally {
            finish(key, null);
        }
    }

    /** Whether it was done is not known, or not known to all: asked for again, the tree is looked at. */
    void giveUp(Key key) {
        lock.lock();
        try {
            Operations operations = sessions.get(new Session(key.client(), key.session()));
            Operation operation = operations == null ? null : operations.byNumber.get(key.number());
            if (operation != null && operation.bytes.isEmpty()) {
                // No intent was written.
                finish(key, null);
            } else if (operation != null) {
                operation.state = State.INTENT;
                changed.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Operations of which something is kept. */
    int size() {
        lock.lock();
        try {
            return kept;
        } finally {
            lock.unlock();
        }
    }

    private void finish(Key key, @Nullable State state) {
        lock.lock();
        try {
            Operations operations = sessions.get(new Session(key.client(), key.session()));
            Operation operation = operations == null ? null : operations.byNumber.get(key.number());
            if (operations != null && operation != null) {
                if (state == null) {
                    operations.byNumber.remove(key.number());
                    forgotten(operation);
                } else {
                    operation.state = state;
                }
            }
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void replaceBytes(Operation operation, RawBytes bytes) {
        liveBytes += recordBytes(bytes) - (operation.bytes.isEmpty() ? 0 : recordBytes(operation.bytes));
        operation.bytes = bytes;
    }

    private void forgotten(Operation operation) {
        kept--;
        liveBytes -= operation.bytes.isEmpty() ? 0 : recordBytes(operation.bytes);
    }

    private static long recordBytes(RawBytes bytes) {
        return HEADER_BYTES + KEY_BYTES + bytes.length();
    }

    private void heard(Session session, Operations operations, long heardBelow) throws IOException {
        if (Long.compareUnsigned(heardBelow, operations.heardBelow) <= 0) {
            return;
        }
        operations.heardBelow = heardBelow;
        Iterator<Operation> heard =
                operations.byNumber.headMap(heardBelow, false).values().iterator();
        boolean any = false;
        while (heard.hasNext()) {
            Operation next = heard.next();
            if (next.state != State.RUNNING) {
                heard.remove();
                forgotten(next);
                any = true;
            }
        }
        if (any) {
            write(HEARD_BELOW, new Key(session.client(), session.session(), heardBelow), new byte[0], false);
        }
    }

    /** Whoever was heard longest ago is not likely to ask again. */
    private void forgetSome() {
        Iterator<Operations> all = sessions.values().iterator();
        while ((sessions.size() > MOST_SESSIONS || kept > MOST) && all.hasNext()) {
            Operations oldest = all.next();
            if (oldest.byNumber.values().stream().noneMatch(operation -> operation.state == State.RUNNING)) {
                oldest.byNumber.values().forEach(this::forgotten);
                all.remove();
            }
        }
    }

    // ---- the file

    private void requireUnbroken() throws IOException {
        if (broken != null) {
            throw new IOException(
                    "the log of operations " + file + " can't be written: " + broken.getMessage()
                            + "; start the server again when its disk is well",
                    broken);
        }
    }

    /** @return where it ends in the file */
    private long write(byte kind, Key key, byte[] bytes, boolean needed) throws IOException {
        lock.lock();
        try {
            requireUnbroken();
            append(channel, record(kind, key, bytes));
            written = base + channel.position();
            if (kind == INTENT || kind == ANSWER) {
                Operations operations = sessions.get(new Session(key.client(), key.session()));
                Operation operation = operations == null ? null : operations.byNumber.get(key.number());
                if (operation != null) {
                    replaceBytes(operation, RawBytes.copyOf(bytes));
                    operation.hasAnswer = kind == ANSWER;
                }
            }
            if (!needed && channel.position() > COMPACT_BYTES && channel.position() > 4 * liveBytes && !syncing) {
                compact();
            }
            return written;
        } catch (IOException e) {
            broken = broken == null ? e : broken;
            throw e;
        } finally {
            lock.unlock();
        }
    }

    private static ByteBuffer record(byte kind, Key key, byte[] bytes) {
        ByteBuffer record = ByteBuffer.allocate(HEADER_BYTES + KEY_BYTES + bytes.length);
        record.position(HEADER_BYTES);
        record.put(kind)
                .putLong(key.client().high())
                .putLong(key.client().low())
                .putLong(key.session())
                .putLong(key.number())
                .put(bytes)
                .flip();
        CRC32C checksum = new CRC32C();
        checksum.update(record.array(), HEADER_BYTES, KEY_BYTES + bytes.length);
        return record.putInt(0, KEY_BYTES + bytes.length).putInt(4, (int) checksum.getValue());
    }

    private static void append(FileChannel to, ByteBuffer record) throws IOException {
        while (record.hasRemaining()) {
            to.write(record);
        }
    }

    /** Whoever finds nobody doing it does it for all that have written so far. */
    private void sync(long upTo) throws IOException, InterruptedException {
        lock.lock();
        try {
            while (synced < upTo) {
                requireUnbroken();
                if (syncing) {
                    changed.await();
                } else {
                    syncOnce();
                }
            }
        } finally {
            lock.unlock();
        }
    }

    private void syncOnce() throws IOException {
        long end = written;
        FileChannel current = channel;
        syncing = true;
        lock.unlock();
        IOException failed = null;
        try {
            current.force(false);
        } catch (IOException e) {
            failed = e;
        } finally {
            lock.lock();
            syncing = false;
            changed.signalAll();
        }
        if (failed != null) {
            broken = failed;
            throw failed;
        }
        synced = Math.max(synced, end);
    }

    /** Writes anew what matters, in another file that takes the place of this one when it is durable. */
    private void compact() throws IOException {
        Path next = file.resolveSibling(NAME + ".next");
        FileChannel to = FileChannel.open(
                next, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE);
        for (Map.Entry<Session, Operations> session : sessions.entrySet()) {
            NodeId client = session.getKey().client();
            long number = session.getKey().session();
            append(to, record(HEARD_BELOW, new Key(client, number, session.getValue().heardBelow), new byte[0]));
            for (Map.Entry<Long, Operation> operation :
                    session.getValue().byNumber.entrySet()) {
                if (!operation.getValue().bytes.isEmpty()) {
                    append(
                            to,
                            record(
                                    operation.getValue().hasAnswer ? ANSWER : INTENT,
                                    new Key(client, number, operation.getKey()),
                                    operation.getValue().bytes.toArray()));
                }
            }
        }
        to.force(true);
        Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        try (FileChannel directory = FileChannel.open(file.toAbsolutePath().getParent(), StandardOpenOption.READ)) {
            directory.force(true);
        }
        channel.close();
        channel = to;
        // Whoever waits for what was written to the old file has it.
        base = written - to.position();
        synced = written;
        changed.signalAll();
        LOG.debug("event=operations_compacted bytes={}", to.position());
    }

    /** @return where the last whole record ends */
    private long read() throws IOException {
        long end = 0;
        ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES);
        long size = channel.size();
        while (end + HEADER_BYTES + KEY_BYTES <= size) {
            readFully(header.clear(), end);
            int length = header.getInt(0);
            if (length < KEY_BYTES || length > MAX_RECORD_BYTES || end + HEADER_BYTES + length > size) {
                break;
            }
            ByteBuffer body = ByteBuffer.allocate(length);
            readFully(body, end + HEADER_BYTES);
            CRC32C checksum = new CRC32C();
            checksum.update(body.array());
            if ((int) checksum.getValue() != header.getInt(4)) {
                break;
            }
            replay(body.flip());
            end += HEADER_BYTES + length;
        }
        if (end < size) {
            LOG.info("event=operations_cut file={} bytes={} kept={}", file, size, end);
        }
        return end;
    }

    private void readFully(ByteBuffer into, long position) throws IOException {
        long at = position;
        while (into.hasRemaining()) {
            int count = channel.read(into, at);
            if (count < 0) {
                throw new EOFException(file + " has become shorter");
            }
            at += count;
        }
    }

    private void replay(ByteBuffer body) throws IOException {
        byte kind = body.get();
        Session session = new Session(new NodeId(body.getLong(), body.getLong()), body.getLong());
        long number = body.getLong();
        byte[] rest = new byte[body.remaining()];
        body.get(rest);
        Operations operations = sessions.computeIfAbsent(session, _ -> new Operations());
        switch (kind) {
            case INTENT, ANSWER -> {
                Operation before = operations.byNumber.get(number);
                if (before == null) {
                    before = new Operation(State.INTENT, RawBytes.EMPTY);
                    operations.byNumber.put(number, before);
                    kept++;
                }
                replaceBytes(before, RawBytes.copyOf(rest));
                before.state = kind == INTENT ? State.INTENT : State.ANSWERED;
                before.hasAnswer = kind == ANSWER;
                forgetSome();
            }
            case NOTHING_DONE -> {
                Operation before = operations.byNumber.remove(number);
                if (before != null) {
                    forgotten(before);
                }
            }
            case HEARD_BELOW -> {
                operations.heardBelow = number;
                List<Operation> heard = new ArrayList<>(
                        operations.byNumber.headMap(number, false).values());
                heard.forEach(this::forgotten);
                operations.byNumber.headMap(number, false).clear();
            }
            default -> throw new IOException("the log of operations " + file + " was written by another release");
        }
    }

    @Override
    public void close() throws IOException {
        lock.lock();
        try {
            broken = new IOException("the server is closing");
            changed.signalAll();
            channel.close();
        } finally {
            lock.unlock();
        }
    }
}
