package spigot.replica;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.DBOptions;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import spigot.linux.FileStatus;
import spigot.model.FileId;
import spigot.model.Fragments;
import spigot.model.ReplicaState;
import spigot.model.Version;
import spigot.model.XattrKinds;

@DisplayName("The index of published files")
class IndexFormatTest {
    private static final byte[] FORMAT = "format".getBytes(US_ASCII);

    /** Where a row says whether the file has extended attributes, in format 1, and of which kinds, since. */
    private static final int XATTRS_AT = 16 + 4 + 8 + 8 + 1 + 4 * 3 + 8 * 2 + 4 + 8 * 4 + 4;

    private static final FileStatus STATUS =
            new FileStatus(0100644, 1, 10, 20, 7, 1000, 4096, 100, 200, 300, 50, 9, 0, 1);

    @TempDir
    private Path directory;

    @Test
    void keepsTheKindsOfExtendedAttributes() {
        IndexedFile file = file(new XattrKinds(2 | 16));
        assertThat(IndexCodec.file(IndexCodec.file(file))).isEqualTo(file);
    }

    @Test
    void ofAnEarlierReleaseIsReadAndItsFilesWithAttributesAreLookedAtOnce() throws Exception {
        IndexedFile some = file(new XattrKinds(2));
        IndexedFile none = file(XattrKinds.NONE);
        byte[] row = IndexCodec.file(some);
        assertThat(row[XATTRS_AT]).isEqualTo((byte) 2);
        row[XATTRS_AT] = 1;
        IndexedFile old = IndexCodec.file(row);
        assertThat(old.attributes().xattrs()).isEqualTo(XattrKinds.NOT_KNOWN_WHICH);
        assertThat(FileChange.between(old, STATUS)).isEqualTo(FileChange.ATTRIBUTES);
        assertThat(FileChange.between(some, STATUS)).isEqualTo(FileChange.NONE);
        assertThat(FileChange.between(none, STATUS)).isEqualTo(FileChange.NONE);

        PublicationIndex.open(directory).close();
        format(1);
        PublicationIndex.open(directory).close();
        assertThat(format()).isEqualTo(IndexCodec.FORMAT);
    }

    @Test
    void ofALaterReleaseIsRefused() throws Exception {
        PublicationIndex.open(directory).close();
        format(IndexCodec.FORMAT + 1);
        assertThatThrownBy(() -> PublicationIndex.open(directory))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("another release");
        // It was closed again.
        assertThat(format()).isEqualTo(IndexCodec.FORMAT + 1);
    }

    private static IndexedFile file(XattrKinds xattrs) {
        return new IndexedFile(
                new FileId(1, 2),
                1,
                9,
                7,
                FileAttributes.of(STATUS, xattrs),
                new Version(1, 1),
                1,
                Fragments.DEFAULT_BYTES,
                ReplicaState.HOME);
    }

    private interface OnStore {
        void on(RocksDB store) throws Exception;
    }

    private void raw(OnStore action) throws Exception {
        List<ColumnFamilyDescriptor> families = new ArrayList<>();
        try (Options options = new Options();
                DBOptions database = new DBOptions()) {
            for (byte[] family : RocksDB.listColumnFamilies(options, directory.toString())) {
                families.add(new ColumnFamilyDescriptor(family));
            }
            List<ColumnFamilyHandle> handles = new ArrayList<>();
            try (RocksDB store = RocksDB.open(database, directory.toString(), families, handles)) {
                action.on(store);
                handles.forEach(ColumnFamilyHandle::close);
            }
        }
    }

    private void format(int number) throws Exception {
        raw(store -> store.put(FORMAT, ByteBuffer.allocate(4).putInt(number).array()));
    }

    private int format() throws Exception {
        int[] number = new int[1];
        raw(store -> number[0] = ByteBuffer.wrap(store.get(FORMAT)).getInt());
        return number[0];
    }
}
