package spigot.catalog;

import com.google.protobuf.ByteString;
import spigot.catalog.client.RegistrationClient;
import spigot.model.Attributes;
import spigot.model.FileId;
import spigot.model.FileKind;
import spigot.model.LogicalPath;
import spigot.model.XattrKinds;
import spigot.transport.Messages;
import spigot.transport.wire.RegisterRequest;
import spigot.transport.wire.Registered;
import spigot.transport.wire.Registration;

/** One publication of one server, written the way a replica server does. */
public final class TestTree {
    private final RegistrationClient server;
    private final FileId root;
    private RegisterRequest.Builder batch;

    public TestTree(RegistrationClient server, String path) throws Exception {
        this.server = server;
        this.root = server.publish(LogicalPath.parse(path), false, false, directoryAttributes(), null)
                .id();
        batch = empty();
    }

    private RegisterRequest.Builder empty() {
        return RegisterRequest.newBuilder().setPublication(Messages.bytes(root));
    }

    public FileId root() {
        return root;
    }

    public FileId file(String name, long size) throws Exception {
        return fileIn(root, name, size);
    }

    public FileId fileIn(FileId directory, String name, long size) throws Exception {
        return register(entry(directory, name, attributes(FileKind.REGULAR, size)));
    }

    public FileId directory(String name) throws Exception {
        return register(entry(root, name, directoryAttributes()));
    }

    private FileId register(Registration entry) throws Exception {
        Registered registered =
                server.register(empty().addEntries(entry).build()).getFirst();
        if (registered.hasFailure()) {
            throw new AssertionError(registered.getFailure().getMessage());
        }
        return FileId.of(registered.getId().toByteArray());
    }

    /** Puts a file into the next batch. */
    public void later(String name, long size) throws Exception {
        batch.addEntries(entry(root, name, attributes(FileKind.REGULAR, size)));
        if (batch.getEntriesCount() == RegistrationClient.MAX_BATCH_ENTRIES) {
            flush();
        }
    }

    public void flush() throws Exception {
        if (batch.getEntriesCount() > 0) {
            server.register(batch.build());
            batch = empty();
        }
    }

    public static Registration entry(FileId directory, String name, Attributes attributes) {
        return Registration.newBuilder()
                .setParent(Messages.bytes(directory))
                .setName(ByteString.copyFromUtf8(name))
                .setAttributes(Messages.wire(attributes))
                .build();
    }

    public static Attributes directoryAttributes() {
        return attributes(FileKind.DIRECTORY, 4096);
    }

    public static Attributes attributes(FileKind kind, long size) {
        return new Attributes(kind, 0644, 1000, 1000, size, size, 1, 5_000, 5_000, 5_000, 5_000, 0, XattrKinds.NONE);
    }
}
