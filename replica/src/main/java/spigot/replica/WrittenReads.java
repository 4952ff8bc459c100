package spigot.replica;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.linux.FileStatus;
import spigot.linux.Statx;
import spigot.model.Attributes;
import spigot.replica.commit.CommitRefusedException;
import spigot.replica.commit.Commits;
import spigot.replica.commit.FileView;
import spigot.replica.commit.LinuxFile;
import spigot.replica.commit.StoredFile;
import spigot.session.TokenStore;
import spigot.transport.BlockChecksums;
import spigot.transport.wire.Blocks;

/**
 * Reads what is committed: from the log, and where that has nothing, from the published file, unless others than this server have
 * changed it. Stateless; blocks, for {@link IoPool} threads.
 */
final class WrittenReads {
    private static final Logger LOG = LoggerFactory.getLogger(WrittenReads.class);
    private static final int ATTEMPTS = 10;

    private final Commits commits;
    private final ServedFiles files;
    private final FileReader reader;

    WrittenReads(Commits commits, ServedFiles files, FileReader reader) {
        this.commits = commits;
        this.files = files;
        this.reader = reader;
    }

    /**
     * Any file, written or not; afterwards what was read is between the buffer's position and limit.
     *
     * @return null when it was changed by others
     */
    TokenStore.@Nullable State read(ServedFile file, long offset, int length, ByteBuffer buffer) throws IOException {
        try (SharedDescriptor descriptor = files.descriptor(file)) {
            if (file.isWritten()) {
                FileView view = read(file, descriptor, offset, length, buffer);
                IndexedFile live = view == null ? null : WrittenRow.live(file.row(), view);
                return live == null ? null : state(live);
            }
            IndexedFile row = file.row();
            Blocks blocks = reader.read(file, row, descriptor, offset, length, buffer);
            if (blocks == null) {
                return null;
            }
            if (blocks.getZero()) {
                zero(buffer.clear().limit(blocks.getLength()));
            }
            return state(row);
        }
    }

    private static void zero(ByteBuffer buffer) {
        for (int i = 0; i < buffer.limit(); i++) {
            buffer.put(i, (byte) 0);
        }
    }

    private static TokenStore.State state(IndexedFile row) {
        Attributes attributes = row.attributes();
        return new TokenStore.State(
                row.version(), attributes.size(), attributes.modifiedNanos(), attributes.changedNanos());
    }

    /** As {@link FileReader#read}, of a written file. @param row as {@link #current} says */
    @Nullable
    Blocks blocks(
            ServedFile file, IndexedFile row, SharedDescriptor descriptor, long offset, int length, ByteBuffer buffer)
            throws IOException {
        FileView view = read(file, descriptor, offset, length, buffer);
        if (view == null || !view.version().equals(row.version())) {
            return null;
        }
        if (!buffer.hasRemaining()) {
            return Blocks.newBuilder().setOffset(offset).build();
        }
        Blocks blocks = BlockChecksums.describe(offset, buffer);
        if (blocks.getZero()) {
            buffer.limit(0);
        }
        return blocks;
    }

    /**
     * Afterwards what was read is between the buffer's position and limit.
     *
     * @return null when the published file was changed by others, or is not written any more
     */
    private @Nullable FileView read(
            ServedFile file, SharedDescriptor descriptor, long offset, int length, ByteBuffer buffer)
            throws IOException {
        StoredFile from = new LinuxFile(descriptor.descriptor(), "a published file");
        for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
            FileView view;
            FileView after;
            FileStatus status;
            try {
                view = commits.read(file.id(), from, offset, buffer.clear().limit(length));
                status = Statx.of(descriptor.number());
                after = commits.view(file.id());
            } catch (CommitRefusedException e) {
                LOG.trace("event=not_written_any_more file={} reason=\"{}\"", file.id(), e.getMessage());
                return null;
            }
            // A folding changes only what is read from the log meanwhile, and is the only one to change it.
            boolean ours = file.isFolding()
                    || FileChange.between(WrittenRow.published(file.row(), after), status)
                            .isSameContent();
            if (ours) {
                buffer.flip();
                return view;
            }
        }
        return null;
    }
}
