package spigot.replica;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
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
import spigot.transport.FailureException;
import spigot.transport.wire.Failure;

@DisplayName("The index of published files")
class PublicationIndexTest {
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

    private static void awaitUninterruptibly(CountDownLatch latch) {
        try {
            assertThat(latch.await(60, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
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

    @Test
    void isClosedWhenThoseWhoUseItHaveLeftAndTellsTheOthers() throws Exception {
        PublicationIndex index = PublicationIndex.open(directory);
        index.putRoot(file(XattrKinds.NONE));
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch proceed = new CountDownLatch(1);
        Thread closing = new Thread(() -> {
            try {
                index.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        try (var threads = Executors.newSingleThreadExecutor()) {
            Future<Integer> visiting = threads.submit(() -> {
                int[] seen = new int[1];
                index.eachFile(1, _ -> {
                    seen[0]++;
                    inside.countDown();
                    awaitUninterruptibly(proceed);
                });
                return seen[0];
            });
            assertThat(inside.await(60, TimeUnit.SECONDS)).isTrue();
            closing.start();
            await().until(() ->
                    closing.getState() == Thread.State.WAITING || closing.getState() == Thread.State.TERMINATED);
            assertThat(closing.isAlive()).as("still waiting for the one inside").isTrue();
            proceed.countDown();
            assertThat(visiting.get()).isEqualTo(1);
        } finally {
            proceed.countDown();
        }
        closing.join();
        assertThatThrownBy(() -> index.file(new FileId(1, 2)))
                .isInstanceOfSatisfying(
                        FailureException.class, e -> assertThat(e.code()).isEqualTo(Failure.Code.NOT_READY))
                .hasMessageContaining("is closed");
        assertThatThrownBy(() -> index.eachFile(1, _ -> {})).hasMessageContaining("is closed");
        assertThatThrownBy(() -> index.putRoot(file(XattrKinds.NONE))).hasMessageContaining("is closed");
        assertThatThrownBy(index::beginLife).hasMessageContaining("is closed");
        index.close();
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
