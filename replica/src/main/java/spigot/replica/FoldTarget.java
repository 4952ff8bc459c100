package spigot.replica;

import java.io.IOException;
import java.nio.ByteBuffer;
import spigot.model.Fingerprint;
import spigot.replica.commit.StoredFile;

/**
 * A published file, open to be folded into. From the first change on until it is closed, whoever looks at the file knows that it is
 * this server that changes it. For one thread.
 */
final class FoldTarget implements StoredFile {
    private final ServedFile file;
    private final StoredFile target;
    private final FileUpdates.Turn turn;

    /** @param target closed with this, and {@code turn} ended */
    FoldTarget(ServedFile file, StoredFile target, FileUpdates.Turn turn) {
        this.file = file;
        this.target = target;
        this.turn = turn;
    }

    @Override
    public String name() {
        return target.name();
    }

    @Override
    public void write(ByteBuffer from, long position) throws IOException {
        file.setFolding(true);
        target.write(from, position);
    }

    @Override
    public int read(ByteBuffer into, long position) throws IOException {
        return target.read(into, position);
    }

    @Override
    public long size() throws IOException {
        return target.size();
    }

    @Override
    public void setSize(long bytes) throws IOException {
        file.setFolding(true);
        target.setSize(bytes);
    }

    @Override
    public void punch(long offset, long bytes) throws IOException {
        file.setFolding(true);
        target.punch(offset, bytes);
    }

    @Override
    public void setModified(long nanos) throws IOException {
        file.setFolding(true);
        target.setModified(nanos);
    }

    @Override
    public Fingerprint fingerprint() throws IOException {
        Fingerprint found = target.fingerprint();
        return new Fingerprint(
                0, found.inode(), found.size(), found.modifiedNanos(), found.changedNanos(), found.bornNanos());
    }

    @Override
    public void syncData() throws IOException {
        target.syncData();
    }

    @Override
    public void syncAll() throws IOException {
        target.syncAll();
    }

    @Override
    public void close() {
        target.close();
        file.setFolding(false);
        turn.close();
    }
}
