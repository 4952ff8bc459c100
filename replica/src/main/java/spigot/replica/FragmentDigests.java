package spigot.replica;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import spigot.linux.Errno;
import spigot.linux.FileStatus;
import spigot.linux.SparseFiles;
import spigot.linux.Statx;
import spigot.model.Fingerprint;
import spigot.transport.FailureException;
import spigot.transport.wire.Failure;

/**
 * The SHA-256 of each fragment of a file, computed by a few threads of its own, so that readers are not held up, and remembered in
 * the index as long as the file's fingerprint is the same. Safe for any thread; blocks.
 */
final class FragmentDigests implements AutoCloseable {
    private static final int BUFFER_BYTES = 1 << 20;

    private final PublicationIndex index;
    private final ServedFiles files;
    private final FileReader reader;
    private final IoPool threads;
    private final Map<Integer, byte[]> ofZeros = new ConcurrentHashMap<>();

    FragmentDigests(PublicationIndex index, ServedFiles files, FileReader reader, int threads) {
        this.index = index;
        this.files = files;
        this.reader = reader;
        this.threads = new IoPool("digest", threads);
    }

    /**
     * @param row what the file has to be
     * @param fragmentBytes the length of all fragments but the last
     * @return null when the file is not what the row says (any more)
     * @throws FailureException NOT_READY when the file has changed so lately that a write may be going on
     */
    @Nullable
    List<byte[]> of(ServedFile file, IndexedFile row, int fragmentBytes, long first, int count)
            throws IOException, InterruptedException {
        return threads.run(() -> {
            try (SharedDescriptor descriptor = files.descriptor(file)) {
                FileStatus before = Statx.of(descriptor.number());
                if (!FileChange.between(row, before).isSameContent()) {
                    return null;
                }
                if (reader.isUnsettled(before)) {
                    throw new FailureException(Failure.newBuilder()
                            .setCode(Failure.Code.NOT_READY)
                            .setMessage("file " + file.id() + " has just been changed: its digests are not certain yet")
                            .setRetryAfterMillis(1000)
                            .build());
                }
                List<byte[]> digests = new ArrayList<>();
                ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);
                long size = row.attributes().size();
                long hash = hash(row.fingerprint(), fragmentBytes);
                for (long fragment = first; fragment < first + count; fragment++) {
                    long offset = fragment * fragmentBytes;
                    if (offset >= size) {
                        break;
                    }
                    int length = (int) Math.min(fragmentBytes, size - offset);
                    byte[] digest = digest(row, fragment, hash, descriptor, offset, length, buffer);
                    if (digest == null) {
                        return null;
                    }
                    digests.add(digest);
                }
                return FileChange.sameContent(before, Statx.of(descriptor.number())) ? digests : null;
            }
        });
    }

    private byte @Nullable [] digest(
            IndexedFile row,
            long fragment,
            long hash,
            SharedDescriptor descriptor,
            long offset,
            int length,
            ByteBuffer buffer)
            throws IOException, InterruptedException {
        long data = SparseFiles.nextData(descriptor.number(), offset);
        if (data == -Errno.ENXIO || data >= offset + length) {
            return ofZeros.computeIfAbsent(length, FragmentDigests::zeros);
        }
        byte[] known = index.digest(row.id(), fragment, hash);
        if (known != null) {
            return known;
        }
        MessageDigest sha256 = sha256();
        for (int done = 0; done < length; ) {
            if (Thread.interrupted()) {
                throw new InterruptedException("the server stops");
            }
            int wanted = Math.min(BUFFER_BYTES, length - done);
            int read = FileReader.fill(descriptor, offset + done, wanted, buffer);
            if (read < wanted) {
                return null;
            }
            sha256.update(buffer);
            done += read;
        }
        byte[] digest = sha256.digest();
        index.putDigest(row.id(), fragment, hash, digest);
        return digest;
    }

    private static byte[] zeros(int length) {
        MessageDigest sha256 = sha256();
        byte[] some = new byte[Math.min(length, 64 << 10)];
        for (int left = length; left > 0; left -= some.length) {
            sha256.update(some, 0, Math.min(left, some.length));
        }
        return sha256.digest();
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /** 64 bits of the fingerprint: two states of one file share them with a probability of 2^-64. */
    private static long hash(Fingerprint fingerprint, int fragmentBytes) {
        long hash = fragmentBytes;
        for (long part : new long[] {
            fingerprint.device(),
            fingerprint.inode(),
            fingerprint.size(),
            fingerprint.modifiedNanos(),
            fingerprint.changedNanos(),
            fingerprint.bornNanos()
        }) {
            hash = new java.util.SplittableRandom(hash ^ part).nextLong();
        }
        return hash;
    }

    @Override
    public void close() {
        threads.close();
    }
}
