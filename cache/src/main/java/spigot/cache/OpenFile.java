package spigot.cache;

import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;
import spigot.model.FileRecord;
import spigot.model.RawBytes;

/**
 * One open of a regular file. Safe for any thread. Every read is from one version; which one may change between reads, when the file
 * was changed in place (see {@link DataListener}).
 */
public interface OpenFile extends Closeable {
    /** As its home saw it last. */
    FileRecord record();

    /** Whether what the kernel has of the file is of this version, so that it may stay (FOPEN_KEEP_CACHE). Fixed at open. */
    boolean keepsKernelPages();

    /**
     * Reads what is in memory. Never blocks, allocates nothing.
     *
     * @return how many bytes were read: all of {@code destination} unless the file ends before; 0 at the end of the file; -1 when not
     *     all of it is in memory, or the file must be looked at again at its home
     */
    int tryRead(long offset, MemorySegment destination);

    /**
     * As {@link #tryRead}, without a copy: succeeds only when the bytes lie in one block of memory.
     *
     * @return how many bytes the consumer got, or -1 when it was not called
     */
    int trySlice(long offset, int length, SliceConsumer consumer) throws IOException;

    /**
     * Reads from memory, disk or the servers. Blocks, on a virtual thread.
     *
     * @return how many bytes were read: all of {@code destination} unless the file ends before
     * @throws UnreachableException when nobody could give the bytes, as the policy says
     */
    int read(long offset, MemorySegment destination) throws IOException, InterruptedException;

    /**
     * lseek with SEEK_DATA or SEEK_HOLE.
     *
     * @return the offset, or -1 when there is none (ENXIO)
     */
    long seek(long offset, boolean hole) throws IOException, InterruptedException;

    /** The value of an extended attribute, or null when the file has none of that name. */
    byte @Nullable [] xattr(RawBytes name) throws IOException, InterruptedException;

    List<RawBytes> xattrNames() throws IOException, InterruptedException;

    /** Never blocks, never fails; idempotent. */
    @Override
    void close();
}
