package spigot.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import java.util.Random;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import spigot.model.Attributes;
import spigot.model.FileId;
import spigot.model.FileKind;
import spigot.model.FileName;
import spigot.model.FileRecord;
import spigot.model.LogicalPath;
import spigot.model.NodeId;
import spigot.model.RawBytes;
import spigot.model.Replica;
import spigot.model.ReplicaState;
import spigot.model.Version;
import spigot.model.XattrKinds;
import spigot.transport.wire.Failure;

class MessagesTest {
    private static final Attributes ATTRIBUTES = new Attributes(
            FileKind.SYMLINK, 07777, -1, 1000, Long.MAX_VALUE, 4096, 3, -5L, 1, 2, 3, 0x801, new XattrKinds(6));
    private static final NodeId HOME = NodeId.random(new Random(1));
    private static final FileRecord RECORD = new FileRecord(
            FileId.random(new Random(2)),
            ATTRIBUTES,
            new Version(-1, 7),
            1 << 20,
            HOME,
            4,
            RawBytes.copyOf(new byte[] {(byte) 0xff, '/', 'x'}),
            true);

    private static void assertBad(ThrowingCallable decoding, String what) {
        assertThatThrownBy(decoding).isInstanceOfSatisfying(FailureException.class, e -> {
            assertThat(e.code()).isEqualTo(Failure.Code.BAD_REQUEST);
            assertThat(e).hasMessageContaining(what);
        });
    }

    @Test
    void aRecordComesBackAsItWas() throws Exception {
        assertThat(Messages.record(Messages.wire(RECORD))).isEqualTo(RECORD);
    }

    @Test
    void aDirectoryHasNoHomeOnTheWire() throws Exception {
        FileRecord directory =
                new FileRecord(FileId.ROOT, ATTRIBUTES, Version.NONE, 1 << 20, NodeId.NONE, 0, RawBytes.EMPTY, false);
        assertThat(Messages.wire(directory).getHome()).isEqualTo(ByteString.EMPTY);
        assertThat(Messages.record(Messages.wire(directory))).isEqualTo(directory);
    }

    @ParameterizedTest
    @EnumSource
    void everyKindOfFileComesBack(FileKind kind) throws Exception {
        assertThat(Messages.kind(Messages.wire(kind))).isEqualTo(kind);
    }

    @ParameterizedTest
    @EnumSource
    void everyReplicaComesBack(ReplicaState state) throws Exception {
        Replica replica =
                new Replica(HOME, "alpha", "hsinchu", "10.0.0.1:7440", state, 12, new Version(1, 2), "size differs");
        assertThat(Messages.replica(Messages.wire(replica))).isEqualTo(replica);
    }

    @Test
    void extendedAttributesOfAPeerThatDoesNotTellTheirKindsMayBeAny() throws Exception {
        var old = Messages.wire(ATTRIBUTES).toBuilder().clearXattrKinds().build();
        assertThat(Messages.attributes(old).xattrs()).isEqualTo(XattrKinds.NOT_KNOWN_WHICH);
        assertThat(Messages.attributes(old.toBuilder().clearHasXattrs().build()).xattrs())
                .isEqualTo(XattrKinds.NONE);
        assertThat(Messages.attributes(Messages.wire(Messages.attributes(old))).xattrs())
                .isEqualTo(XattrKinds.NOT_KNOWN_WHICH);
    }

    @Test
    void namesAndPathsComeBackByteByByte() throws Exception {
        FileName name = FileName.of(new byte[] {(byte) 0xc3, '\n', (byte) 0x80});
        assertThat(Messages.name(Messages.bytes(name))).isEqualTo(name);
        LogicalPath path = LogicalPath.parse("/data/run 7/x");
        assertThat(Messages.path(Messages.bytes(path))).isEqualTo(path);
        assertThat(Messages.path(Messages.bytes(LogicalPath.ROOT))).isEqualTo(LogicalPath.ROOT);
    }

    @Test
    void whatIsNoValueIsABadRequest() {
        ByteString fifteen = ByteString.copyFrom(new byte[15]);
        assertBad(() -> Messages.fileId(fifteen), "file id");
        assertBad(() -> Messages.nodeId(ByteString.EMPTY), "node id");
        assertBad(() -> Messages.nodeIdOrNone(fifteen), "node id");
        assertBad(() -> Messages.name(ByteString.copyFromUtf8("a/b")), "file name");
        assertBad(() -> Messages.name(ByteString.copyFromUtf8("..")), "file name");
        assertBad(() -> Messages.name(ByteString.copyFrom(new byte[256])), "file name");
        assertBad(() -> Messages.path(ByteString.copyFromUtf8("data")), "logical path");
        assertBad(() -> Messages.path(ByteString.copyFromUtf8("/" + "x/".repeat(3000))), "logical path");
        var wire = Messages.wire(RECORD);
        var attributes = wire.getAttributes();
        assertBad(() -> Messages.record(wire.toBuilder().setFragmentBytes(12345).build()), "fragment size");
        assertBad(() -> Messages.attributes(attributes.toBuilder().setSize(-1).build()), "size");
        assertBad(() -> Messages.attributes(attributes.toBuilder().setLinks(-1).build()), "links");
        assertBad(
                () -> Messages.attributes(
                        attributes.toBuilder().setMode(0100644).build()),
                "mode");
        assertBad(
                () -> Messages.attributes(
                        attributes.toBuilder().setKindValue(99).build()),
                "file kind");
        assertBad(() -> Messages.record(spigot.transport.wire.FileRecord.getDefaultInstance()), "file id");
    }
}
