package spigot.replica;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;
import spigot.linux.Descriptor;
import spigot.linux.FileStatus;
import spigot.linux.RootDirectory;
import spigot.linux.Statx;
import spigot.linux.SystemCallException;
import spigot.model.Attributes;
import spigot.model.FileId;
import spigot.model.NodeId;
import spigot.model.RawBytes;
import spigot.model.Version;
import spigot.model.XattrKinds;
import spigot.transport.FailureException;
import spigot.transport.Messages;
import spigot.transport.wire.Failure;
import spigot.transport.wire.FileRecord;
import spigot.transport.wire.Mutation;
import spigot.transport.wire.NamespaceReply;
import spigot.transport.wire.OperationReply;

/**
 * One attempt to carry out an operation in the turn of its directories, in steps: {@link #prepare} looks at the tree and opens what is
 * needed, {@link #perform} does it, {@link #mutations} tells what has changed, and {@link #apply} writes that to the index when the
 * catalog has it. For one thread at a time; the steps that make system calls run on I/O threads.
 */
abstract class TreeOperation implements AutoCloseable {
    /** What operations work with. */
    record Parts(
            NodeId server,
            PublicationIndex index,
            ServedFiles files,
            FileUpdates updates,
            DirectoryWatcher watcher,
            Orphans orphans,
            WrittenFiles written,
            IntFunction<@Nullable PublishedTree> trees) {}

    /**
     * What is noted before the operation, to know it again after a crash: the file that was there, and when it was.
     *
     * @param bornNanos tells two files apart of which the second got the inode number of the first; 0 where it is not known
     */
    record Noted(long device, long inode, long nanos, long bornNanos) {
        static final Noted NOTHING = new Noted(0, 0, 0, 0);
        private static final int BYTES = 32;
        private static final int BYTES_WITHOUT_BIRTH = 24;

        static Noted of(FileStatus status) {
            return new Noted(status.device(), status.inode(), now(), status.bornNanos());
        }

        /** Nothing but the time. */
        static Noted justNow() {
            return new Noted(0, 0, now(), 0);
        }

        static long now() {
            return System.currentTimeMillis() * 1_000_000L;
        }

        byte[] bytes() {
            return ByteBuffer.allocate(BYTES)
                    .putLong(device)
                    .putLong(inode)
                    .putLong(nanos)
                    .putLong(bornNanos)
                    .array();
        }

        static Noted of(byte[] bytes) {
            ByteBuffer buffer = ByteBuffer.wrap(bytes);
            // Earlier releases have noted no birth.
            boolean birth = bytes.length > BYTES_WITHOUT_BIRTH;
            return new Noted(buffer.getLong(), buffer.getLong(), buffer.getLong(), birth ? buffer.getLong() : 0);
        }

        boolean is(@Nullable FileStatus status) {
            return status != null
                    && status.inode() == inode
                    && status.device() == device
                    && (bornNanos == 0 || status.bornNanos() == bornNanos);
        }
    }

    final Parts parts;
    final PublishedTree tree;
    private final Deque<AutoCloseable> opened = new ArrayDeque<>();

    TreeOperation(Parts parts, PublishedTree tree) {
        this.parts = parts;
        this.tree = tree;
    }

    static TreeOperation of(Operation operation, Operation.Who who, Parts parts, PublishedTree tree) {
        return switch (operation) {
            case Operation.Make make -> new MakeEntry(parts, tree, make, who);
            case Operation.MakeLink link -> new LinkEntry(parts, tree, link);
            case Operation.Remove remove -> new RemoveEntry(parts, tree, remove);
            case Operation.Rename rename -> new RenameEntry(parts, tree, rename);
            case Operation.Set set -> new ChangeFile(parts, tree, set.file(), who, set, null);
            case Operation.SetXattr set -> new ChangeFile(parts, tree, set.file(), who, null, set);
        };
    }

    /** The directories whose turn it needs, as far as the index knows; what is found to be missing makes another attempt. */
    abstract Set<FileId> directories() throws IOException;

    /**
     * @throws SystemCallException when it can't be done
     * @throws OpenDirectory.BehindTheBackException when the publication has to look at the tree first
     */
    abstract void prepare() throws IOException;

    /** The files that it changes, to be changed by nobody else meanwhile; known after {@link #prepare}. */
    List<ServedFile> files() throws IOException {
        return List.of();
    }

    /** The file whose content it changes: nobody may have a lease on it then. */
    @Nullable
    FileId changesContentOf() {
        return null;
    }

    /** The answer when there is nothing to be done. */
    @Nullable
    FileId answeredBy() {
        return null;
    }

    abstract Noted noted() throws IOException;

    /** Whether the tree shows that it was done already, by what was noted then. */
    abstract boolean wasDone(Noted then) throws IOException;

    /** The file that the answer of an operation that was done already is about; null when that is gone. */
    @Nullable
    abstract FileId subject() throws IOException;

    /** @throws SystemCallException when it was refused: nothing has changed then */
    abstract void perform() throws IOException;

    /** To be called once after it was performed. */
    abstract List<Mutation> mutations() throws IOException;

    /** What is known of the file that it made before the catalog has it; the default instance when it made none. */
    FileRecord early() {
        return FileRecord.getDefaultInstance();
    }

    /** The catalog has its outcome. */
    abstract void apply(NamespaceReply reply) throws IOException;

    abstract OperationReply.Builder reply(NamespaceReply reply) throws IOException;

    /** Takes back what was done, if that can be, as the catalog has something else under the name. */
    boolean undo() throws IOException {
        return false;
    }

    /** What may be different now from what the index has. */
    abstract List<IndexedName> places();

    // ---- for the operations

    OpenDirectory openDirectory(FileId id) throws IOException {
        OpenDirectory directory = OpenDirectory.open(parts.index(), tree, id);
        opened.push(directory);
        return directory;
    }

    <T extends AutoCloseable> T toClose(T resource) {
        opened.push(resource);
        return resource;
    }

    ServedFile served(IndexedFile row) throws IOException {
        if (!row.attributes().isDirectory() && !row.isHome()) {
            throw new FailureException(
                    Failure.Code.NOT_HOME,
                    "this server is not the home of file " + row.id() + ": ask the catalog again");
        }
        return parts.files().get(row.id());
    }

    /**
     * A change of the content by others is told to the catalog first, so that it is not taken for the operation's. With a file that is
     * written this is looked at in its turn, when nobody folds into it.
     */
    void requireSettled(IndexedFile row, FileStatus status) throws IOException {
        if (!parts.written().isWritten(row.id()) && FileChange.between(row, status) == FileChange.CONTENT) {
            throw OpenDirectory.behindTheBack(parts.index(), row.id());
        }
    }

    static RootDirectory within(Descriptor directory) {
        return RootDirectory.borrowed(directory);
    }

    /** A file, of which readers see what is committed and not yet in it. */
    Mutation setFile(FileId id, Attributes attributes, boolean content) {
        boolean written = parts.written().isWritten(id);
        return set(id, written ? parts.written().shown(id, attributes) : attributes, content && !written);
    }

    static Mutation set(FileId id, Attributes attributes, boolean content) {
        return Mutation.newBuilder()
                .setSet(Mutation.Set.newBuilder()
                        .setId(Messages.bytes(id))
                        .setAttributes(Messages.wire(attributes))
                        .setContentChanged(content))
                .build();
    }

    /**
     * The file as it is after the operation.
     *
     * @param hidden links that are not shown
     */
    static Attributes attributes(FileStatus status, XattrKinds xattrs, int hidden) {
        Attributes seen = FileAttributes.of(status, xattrs);
        return new Attributes(
                seen.kind(),
                seen.mode(),
                seen.uid(),
                seen.gid(),
                seen.size(),
                seen.allocatedBytes(),
                Math.max(0, seen.links() - hidden),
                seen.modifiedNanos(),
                seen.changedNanos(),
                seen.accessedNanos(),
                seen.bornNanos(),
                seen.device(),
                seen.xattrs());
    }

    /**
     * The index takes the outcome for a file that is still there: if somebody else has changed its content meanwhile, it stays as it
     * was, so that this is seen at the next look.
     */
    void took(IndexedFile known, FileStatus status, Attributes attributes, FileRecord record, boolean content)
            throws IOException {
        IndexedFile before = parts.updates().published(known);
        boolean untouched = before.attributes().size() == attributes.size()
                && before.attributes().modifiedNanos() == attributes.modifiedNanos();
        if (content || untouched || !attributes.isRegular()) {
            IndexedFile row = before.seen(status, attributes);
            if (!attributes.isDirectory()) {
                Version version = Messages.version(record.getVersion());
                row = row.known(version, record.getHomeEpoch(), record.getFragmentBytes(), before.state());
            }
            parts.updates().took(parts.files().get(before.id()), row, content);
            parts.written().tellSoon(before.id());
        }
    }

    static FileStatus statusOf(Descriptor descriptor) throws SystemCallException {
        return Statx.of(descriptor.number());
    }

    static boolean isGone(FileRecord record) {
        return record.getId().isEmpty();
    }

    /** A file that lost its last name, for the answer. */
    FileRecord gone(IndexedFile row, Attributes attributes) {
        IndexedFile last = new IndexedFile(
                row.id(),
                row.publication(),
                row.device(),
                row.inode(),
                attributes,
                row.version(),
                row.homeEpoch(),
                row.fragmentBytes(),
                row.state());
        return Messages.wire(last.record(parts.server(), false));
    }

    static List<IndexedName> names(FileId directory, RawBytes name) {
        return new ArrayList<>(List.of(new IndexedName(directory, name, directory)));
    }

    @Override
    public void close() {
        while (!opened.isEmpty()) {
            try {
                opened.pop().close();
            } catch (Exception e) {
                throw new IllegalStateException("closing a descriptor failed", e);
            }
        }
    }
}
