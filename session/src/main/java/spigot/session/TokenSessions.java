package spigot.session;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import java.util.concurrent.locks.ReentrantLock;
import spigot.coherence.ClientId;
import spigot.model.NodeId;

/**
 * The lives of a home, and the sessions of its clients, in one small file, so that the next life knows for whom it has to wait. The file
 * is replaced as a whole. Safe for any thread; as large as the home's bound of sessions.
 */
public final class TokenSessions {
    private static final String HEAD = "spigot token sessions 1";

    private final Path file;
    private final long epoch;
    private final Map<Long, ClientId> former;
    private final ReentrantLock lock = new ReentrantLock();

    /** Held while the file is written; before {@link #lock}. */
    private final ReentrantLock writing = new ReentrantLock();

    @GuardedBy("lock")
    private final SequencedMap<Long, ClientId> sessions = new LinkedHashMap<>();

    @GuardedBy("lock")
    private boolean changed = true;

    private TokenSessions(Path file, long epoch, Map<Long, ClientId> former) {
        this.file = file;
        this.epoch = epoch;
        this.former = Map.copyOf(former);
        this.sessions.putAll(former);
    }

    /**
     * Begins the next life: its number is durable when this returns.
     *
     * @param file is made when there is none
     * @throws IOException when it can't be read or written, or is damaged: without it the home would not know whom to wait for
     */
    public static TokenSessions open(Path file) throws IOException {
        long last = 0;
        Map<Long, ClientId> former = new LinkedHashMap<>();
        if (Files.exists(file)) {
            String[] lines = Files.readString(file, StandardCharsets.US_ASCII).split("\n");
            try {
                String[] head = lines[0].split(" epoch ");
                if (!head[0].equals(HEAD) || !lines[lines.length - 1].equals("end")) {
                    throw new IllegalArgumentException("it does not begin or end as it should");
                }
                last = Long.parseLong(head[1]);
                for (int i = 1; i < lines.length - 1; i++) {
                    String[] parts = lines[i].split(" ");
                    NodeId node =
                            new NodeId(Long.parseUnsignedLong(parts[1], 16), Long.parseUnsignedLong(parts[2], 16));
                    former.put(
                            Long.parseUnsignedLong(parts[0], 16),
                            new ClientId(node, Long.parseUnsignedLong(parts[3], 16)));
                }
            } catch (IllegalArgumentException | ArrayIndexOutOfBoundsException e) {
                throw new IOException(
                        "the file of token sessions " + file + " is damaged (" + e.getMessage()
                                + "): stop all clients for a minute, remove it, and start again",
                        e);
            }
        }
        TokenSessions opened = new TokenSessions(file, last + 1, former);
        opened.sync();
        return opened;
    }

    /** Of this life. */
    long epoch() {
        return epoch;
    }

    /** The sessions that the former life has left. */
    Map<Long, ClientId> former() {
        return former;
    }

    /** Durable after the next {@link #sync}. */
    void remember(ClientId client, long session) {
        lock.lock();
        try {
            sessions.put(session, client);
            changed = true;
        } finally {
            lock.unlock();
        }
    }

    void forget(long session) {
        lock.lock();
        try {
            changed |= sessions.remove(session) != null;
        } finally {
            lock.unlock();
        }
    }

    /** All that was remembered before is durable. */
    void sync() throws IOException {
        writing.lock();
        try {
            String text;
            lock.lock();
            try {
                if (!changed) {
                    return;
                }
                changed = false;
                text = text();
            } finally {
                lock.unlock();
            }
            try {
                write(text);
            } catch (IOException e) {
                lock.lock();
                try {
                    changed = true;
                } finally {
                    lock.unlock();
                }
                throw e;
            }
        } finally {
            writing.unlock();
        }
    }

    @GuardedBy("lock")
    private String text() {
        StringBuilder text = new StringBuilder(HEAD + " epoch " + epoch + "\n");
        sessions.forEach((session, client) -> text.append(Long.toHexString(session))
                .append(' ')
                .append(Long.toHexString(client.node().high()))
                .append(' ')
                .append(Long.toHexString(client.node().low()))
                .append(' ')
                .append(Long.toHexString(client.instance()))
                .append('\n'));
        return text.append("end\n").toString();
    }

    private void write(String text) throws IOException {
        Path next = file.resolveSibling(file.getFileName() + ".new");
        try (FileChannel channel = FileChannel.open(
                next, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
            ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
        }
        Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        try (FileChannel directory = FileChannel.open(file.toAbsolutePath().getParent(), StandardOpenOption.READ)) {
            directory.force(true);
        }
    }
}
