package spigot.cache;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import spigot.model.FileRecord;
import spigot.model.RawBytes;

/** An open of a file in a grid. */
final class GridFile implements OpenFile {
    private final GridFileClient client;
    private final LeasedFile file;
    private final boolean keepsKernelPages;
    private final HandlePlanner planner;
    private final AtomicBoolean closed = new AtomicBoolean();
    private volatile boolean readFromStart;

    GridFile(GridFileClient client, LeasedFile file, boolean keepsKernelPages, HandlePlanner planner) {
        this.client = client;
        this.file = file;
        this.keepsKernelPages = keepsKernelPages;
        this.planner = planner;
    }

    @Override
    public FileRecord record() {
        return client.viewOf(file).record();
    }

    @Override
    public boolean keepsKernelPages() {
        return keepsKernelPages;
    }

    @Override
    public int tryRead(long offset, MemorySegment destination) {
        FileView view = client.viewOf(file);
        if (closed.get() || !view.isFresh()) {
            return -1;
        }
        return client.reader().tryRead(view.content(), planner, offset, destination);
    }

    @Override
    public int trySlice(long offset, int length, SliceConsumer consumer) throws IOException {
        FileView view = client.viewOf(file);
        if (closed.get() || !view.isFresh()) {
            return -1;
        }
        return client.reader().trySlice(view.content(), planner, offset, length, consumer);
    }

    @Override
    public int read(long offset, MemorySegment destination) throws IOException, InterruptedException {
        if (offset < 0) {
            throw new IllegalArgumentException("a negative offset: " + offset);
        }
        if (offset == 0) {
            readFromStart = true;
        }
        return onCurrent(content -> client.reader().read(content, planner, offset, destination));
    }

    @Override
    public long seek(long offset, boolean hole) throws IOException, InterruptedException {
        return onCurrent(content -> {
            if (offset < 0 || offset >= content.size()) {
                return -1L;
            }
            FileRecord record = client.viewOf(file).record();
            if (record.attributes().allocatedBytes() >= record.attributes().size()) {
                return hole ? content.size() : offset; // no room for a hole
            }
            return SideRequests.seek(content, offset, hole, client.patience());
        });
    }

    @Override
    public byte @Nullable [] xattr(RawBytes name) throws IOException, InterruptedException {
        if (name.isEmpty() || !record().attributes().xattrs().mayHave(name)) {
            return null;
        }
        return onCurrent(content -> Optional.ofNullable(SideRequests.xattr(content, name, client.patience())))
                .map(ByteString::toByteArray)
                .orElse(null);
    }

    @Override
    public List<RawBytes> xattrNames() throws IOException, InterruptedException {
        Optional<List<RawBytes>> told = record().attributes().xattrs().names();
        if (told.isPresent()) {
            return told.get();
        }
        return onCurrent(content -> {
            var names = SideRequests.xattr(content, RawBytes.EMPTY, client.patience());
            return names == null ? List.of() : split(names.toByteArray());
        });
    }

    private static List<RawBytes> split(byte[] names) {
        List<RawBytes> split = new ArrayList<>();
        String text = new String(names, StandardCharsets.ISO_8859_1); // bytes as they are
        for (int start = 0, end; start < text.length(); start = end + 1) {
            end = text.indexOf('\0', start);
            if (end < 0) {
                end = text.length();
            }
            split.add(RawBytes.copyOf(text.substring(start, end).getBytes(StandardCharsets.ISO_8859_1)));
        }
        return split;
    }

    private interface OnContent<T> {
        T apply(Content content) throws IOException, InterruptedException;
    }

    /** On one version from start to end; when the home says that it has changed, on the next one from the start again. */
    private <T> T onCurrent(OnContent<T> operation) throws IOException, InterruptedException {
        for (int moved = 0; ; moved++) {
            if (closed.get()) {
                throw new IOException("the file is closed");
            }
            FileView view = client.current(file);
            try {
                return operation.apply(view.content());
            } catch (VersionGoneException e) {
                if (moved >= GridFileClient.MAX_MOVES) {
                    throw new IOException("file " + view.record().id() + " changes faster than it can be read", e);
                }
                client.moveOn(file, view, moved);
            }
        }
    }

    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            client.closed(file, readFromStart);
        }
    }
}
