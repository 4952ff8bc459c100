package spigot.mount;

import com.google.protobuf.ByteString;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import spigot.catalog.client.RegistrationClient;
import spigot.linux.Descriptor;
import spigot.linux.DirectoryReader;
import spigot.linux.ExtendedAttributes;
import spigot.linux.FileStatus;
import spigot.linux.RootDirectory;
import spigot.linux.Statx;
import spigot.linux.SymbolicLinks;
import spigot.model.Attributes;
import spigot.model.FileId;
import spigot.model.FileKind;
import spigot.model.FileName;
import spigot.model.FileRecord;
import spigot.model.LogicalPath;
import spigot.model.RawBytes;
import spigot.model.XattrKinds;
import spigot.transport.Messages;
import spigot.transport.wire.RegisterRequest;
import spigot.transport.wire.Registered;
import spigot.transport.wire.Registration;

/** A directory of this machine that is published at the catalog, as a replica server would, and read by file id. */
final class SourceTree implements LocalFiles.Source {
    private static final int BATCH_BYTES = 100 << 10;
    private static final int BATCH_ENTRIES = 500;

    private final Path directory;
    private final RegistrationClient catalog;
    private final RootDirectory root;
    private final Map<FileId, RawBytes> paths = new ConcurrentHashMap<>();
    private final Map<Long, FileId> linked = new HashMap<>();
    private final Map<RawBytes, FileId> ids = new ConcurrentHashMap<>();
    private FileId publication = FileId.ROOT;

    SourceTree(Path directory, RegistrationClient catalog) throws IOException {
        this.directory = directory;
        this.catalog = catalog;
        root = RootDirectory.open(directory.toString().getBytes(StandardCharsets.UTF_8));
    }

    Path directory() {
        return directory;
    }

    /** Publishes all of it. */
    void publish(String logicalPath) throws IOException, InterruptedException {
        FileRecord record = catalog.publish(
                LogicalPath.parse(logicalPath), false, true, attributes(root.status(), XattrKinds.NONE), null);
        publication = record.id();
        ids.put(RawBytes.EMPTY, publication);
        register(new byte[0], publication);
    }

    /** Registers what is in a directory by now and was not yet. */
    void register(String path) throws IOException, InterruptedException {
        byte[] raw = path.getBytes(StandardCharsets.UTF_8);
        register(raw, id(path));
    }

    private void register(byte[] path, FileId parent) throws IOException, InterruptedException {
        List<byte[]> entries = new ArrayList<>();
        RegisterRequest.Builder batch = request();
        int bytes = 0;
        try (Descriptor opened = root.openDirectory(path)) {
            List<byte[]> names = DirectoryReader.names(opened.number(), "the source");
            for (byte[] name : names) {
                byte[] child = join(path, name);
                if (ids.containsKey(RawBytes.copyOf(child))) {
                    continue;
                }
                Registration registration = registration(opened, name, parent);
                batch.addEntries(registration);
                entries.add(child);
                bytes += registration.getSerializedSize();
                FileStatus status = Statx.at(opened.number(), name);
                // A further link names the id that the first one got, so that one has to be sent before.
                boolean isLinked = status.links() > 1 && !status.isDirectory();
                if (bytes > BATCH_BYTES || entries.size() == BATCH_ENTRIES || isLinked) {
                    send(batch, entries, opened);
                    batch = request();
                    bytes = 0;
                }
            }
            send(batch, entries, opened);
            for (byte[] name : names) {
                if (Statx.at(opened.number(), name).isDirectory()) {
                    byte[] child = join(path, name);
                    register(child, Objects.requireNonNull(ids.get(RawBytes.copyOf(child))));
                }
            }
        }
    }

    private RegisterRequest.Builder request() {
        return RegisterRequest.newBuilder()
                .setPublication(Messages.bytes(publication))
                .setReadOnly(true);
    }

    private Registration registration(Descriptor opened, byte[] name, FileId parent) throws IOException {
        FileStatus status = Statx.at(opened.number(), name);
        XattrKinds xattrs =
                status.isRegular() ? XattrKinds.of(ExtendedAttributes.names(opened, name)) : XattrKinds.NONE;
        Registration.Builder registration = Registration.newBuilder()
                .setParent(Messages.bytes(parent))
                .setName(ByteString.copyFrom(name))
                .setAttributes(Messages.wire(attributes(status, xattrs)));
        if (status.isSymlink()) {
            registration.setSymlinkTarget(ByteString.copyFrom(SymbolicLinks.target(opened.number(), name)));
        }
        FileId same = linked.get(status.inode());
        if (same != null) {
            registration.setSameAs(Messages.bytes(same));
        }
        return registration.build();
    }

    private void send(RegisterRequest.Builder batch, List<byte[]> entries, Descriptor opened)
            throws IOException, InterruptedException {
        if (entries.isEmpty()) {
            return;
        }
        List<Registered> results = catalog.register(batch.build());
        for (int i = 0; i < entries.size(); i++) {
            if (results.get(i).hasFailure()) {
                throw new IOException(results.get(i).getFailure().getMessage());
            }
            FileId id = Messages.fileId(results.get(i).getId());
            byte[] path = entries.get(i);
            ids.put(RawBytes.copyOf(path), id);
            paths.put(id, RawBytes.copyOf(path));
            FileStatus status = Statx.at(opened.number(), lastName(path));
            if (status.links() > 1 && !status.isDirectory()) {
                linked.putIfAbsent(status.inode(), id);
            }
        }
        entries.clear();
    }

    /** The path leads nowhere any more. */
    void withdraw(String path) throws IOException, InterruptedException {
        byte[] raw = path.getBytes(StandardCharsets.UTF_8);
        int slash = path.lastIndexOf('/');
        FileId parent = id(slash < 0 ? "" : path.substring(0, slash));
        catalog.withdraw(publication, List.of(new RegistrationClient.Name(parent, FileName.of(lastName(raw)))));
        ids.remove(RawBytes.copyOf(raw));
    }

    /** Tells the catalog what the file is like now. */
    FileRecord update(String path, boolean contentChanged) throws IOException, InterruptedException {
        FileId id = id(path);
        try (Descriptor located = root.locate(path.getBytes(StandardCharsets.UTF_8))) {
            XattrKinds xattrs = XattrKinds.of(ExtendedAttributes.names(located));
            FileRecord before = catalog.located(id).record();
            return catalog.update(
                    id,
                    attributes(Statx.of(located.number()), xattrs),
                    contentChanged,
                    before.homeEpoch(),
                    before.version());
        }
    }

    FileId id(String path) {
        FileId id = ids.get(RawBytes.ofUtf8(path));
        if (id == null) {
            throw new IllegalArgumentException(path + " is not registered");
        }
        return id;
    }

    @Override
    public Descriptor open(FileId file) throws IOException {
        RawBytes path = paths.get(file);
        if (path == null) {
            throw new IOException("no file " + file);
        }
        try (Descriptor located = root.locate(path.toArray())) {
            return RootDirectory.reopen(located);
        }
    }

    private static byte[] join(byte[] directory, byte[] name) {
        ByteArrayOutputStream path = new ByteArrayOutputStream();
        path.writeBytes(directory);
        if (directory.length > 0) {
            path.write('/');
        }
        path.writeBytes(name);
        return path.toByteArray();
    }

    private static byte[] lastName(byte[] path) {
        int from = path.length;
        while (from > 0 && path[from - 1] != '/') {
            from--;
        }
        return java.util.Arrays.copyOfRange(path, from, path.length);
    }

    private static Attributes attributes(FileStatus status, XattrKinds xattrs) {
        return new Attributes(
                FileKind.ofMode(status.fullMode()),
                status.fullMode() & 07777,
                status.uid(),
                status.gid(),
                status.size(),
                status.allocatedBytes(),
                status.links(),
                status.modifiedNanos(),
                status.changedNanos(),
                status.accessedNanos(),
                status.bornNanos(),
                (int) status.deviceNode(),
                xattrs);
    }
}
