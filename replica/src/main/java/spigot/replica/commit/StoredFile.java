package spigot.replica.commit;

import java.io.IOException;
import java.nio.ByteBuffer;
import spigot.model.Fingerprint;

/**
 * One open file, as the commit path uses files. Any thread; calls block on the disk. Buffers are direct. A call that fails says what
 * was tried on which file.
 */
public interface StoredFile extends AutoCloseable {
    /** For messages. */
    String name();

    /** Writes all that remains in the buffer, or throws; then any part of it may have been written. */
    void write(ByteBuffer from, long position) throws IOException;

    /** Fills the buffer up to its limit, less at the end of the file. @return how much was read */
    int read(ByteBuffer into, long position) throws IOException;

    long size() throws IOException;

    /** Cuts, or grows by a hole. */
    void setSize(long bytes) throws IOException;

    /** Makes the range read as zeros and gives its space back where the file system can; the size stays. */
    void punch(long offset, long bytes) throws IOException;

    void setModified(long nanos) throws IOException;

    Fingerprint fingerprint() throws IOException;

    /**
     * fdatasync(2): what was written before the call, and the size, are durable. After a failure nothing is known about what was
     * written since the last success, and calling it again tells nothing: the kernel reports an error once and drops the pages.
     */
    void syncData() throws IOException;

    /** fsync(2): the times, too. */
    void syncAll() throws IOException;

    @Override
    void close();
}
