package spigot.replica;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.function.UnaryOperator;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import spigot.linux.FileStatus;
import spigot.model.FileId;
import spigot.model.Fragments;
import spigot.model.ReplicaState;
import spigot.model.Version;
import spigot.model.XattrKinds;

@DisplayName("A second look at a file")
class FileChangeTest {
    private static final FileStatus FIRST =
            new FileStatus(0100644, 1, 10, 20, 7, 1000, 4096, 100, 200, 300, 50, 9, 0, 1);

    private static final IndexedFile KNOWN = new IndexedFile(
            new FileId(1, 2),
            1,
            9,
            7,
            FileAttributes.of(FIRST, XattrKinds.NONE),
            new Version(1, 1),
            1,
            Fragments.DEFAULT_BYTES,
            ReplicaState.HOME);

    @Test
    void seesNothingWhenOnlyTheTimeOfAccessMoved() {
        assertThat(after(with(FIRST, 8, 777))).isEqualTo(FileChange.NONE);
    }

    @Test
    void seesAnotherFileInAnotherInodeOrDeviceOrBirthOrKind() {
        assertThat(after(with(FIRST, 5, 8))).isEqualTo(FileChange.OTHER_FILE);
        assertThat(after(with(FIRST, 12, 8))).isEqualTo(FileChange.OTHER_FILE);
        assertThat(after(with(FIRST, 11, 51))).isEqualTo(FileChange.OTHER_FILE);
        assertThat(after(with(FIRST, 1, 0120644))).isEqualTo(FileChange.OTHER_FILE);
    }

    @Test
    void seesOtherContentInSizeAndModificationTime() {
        assertThat(after(with(FIRST, 6, 1001))).isEqualTo(FileChange.CONTENT);
        assertThat(after(with(FIRST, 9, 201))).isEqualTo(FileChange.CONTENT);
        assertThat(after(with(FIRST, 9, 199))).isEqualTo(FileChange.CONTENT);
    }

    @Test
    void takesAMovedChangeTimeForOtherContentUnlessSomethingElseMovedIt() {
        FileStatus moved = with(FIRST, 10, 301);
        assertThat(after(moved)).isEqualTo(FileChange.CONTENT);
        assertThat(after(with(moved, 1, 0100600))).isEqualTo(FileChange.ATTRIBUTES);
        assertThat(after(with(moved, 2, 2))).isEqualTo(FileChange.ATTRIBUTES);
        assertThat(after(with(moved, 3, 11))).isEqualTo(FileChange.ATTRIBUTES);
        assertThat(after(with(moved, 4, 21))).isEqualTo(FileChange.ATTRIBUTES);
        assertThat(FileChange.betweenRenamed(KNOWN, moved)).isEqualTo(FileChange.ATTRIBUTES);
    }

    @Test
    void isNotFooledByAChmodBesideAWrite() {
        FileStatus written = with(with(FIRST, 10, 301), 9, 301);
        assertThat(after(with(written, 1, 0100600))).isEqualTo(FileChange.CONTENT);
        assertThat(FileChange.betweenRenamed(KNOWN, written)).isEqualTo(FileChange.CONTENT);
    }

    @Test
    void tellsOccupiedSpaceAsAnAttribute() {
        assertThat(after(with(FIRST, 7, 8192))).isEqualTo(FileChange.ATTRIBUTES);
    }

    @Test
    void foundOneContentOnlyIfNothingMovedBetweenThem() {
        assertThat(FileChange.sameContent(FIRST, with(FIRST, 8, 777))).isTrue();
        assertThat(FileChange.sameContent(FIRST, with(FIRST, 10, 301))).isFalse();
        assertThat(FileChange.sameContent(FIRST, with(FIRST, 9, 201))).isFalse();
        assertThat(FileChange.sameContent(FIRST, with(FIRST, 6, 999))).isFalse();
        assertThat(FileChange.sameContent(FIRST, with(with(FIRST, 10, 301), 2, 0)))
                .isTrue();
    }

    @Test
    void isRememberedByteForByte() {
        UnaryOperator<IndexedFile> stored = file -> IndexCodec.file(IndexCodec.file(file));
        assertThat(stored.apply(KNOWN)).isEqualTo(KNOWN);
        for (ReplicaState state : ReplicaState.values()) {
            IndexedFile file = KNOWN.compared(new Version(-1, Long.MAX_VALUE), state);
            assertThat(stored.apply(file)).isEqualTo(file);
        }
    }

    private static FileChange after(FileStatus status) {
        return FileChange.between(KNOWN, status);
    }

    /** The status with its n-th component, counted from 1, replaced. */
    private static FileStatus with(FileStatus status, int component, long value) {
        return new FileStatus(
                component == 1 ? (int) value : status.fullMode(),
                component == 2 ? (int) value : status.links(),
                component == 3 ? (int) value : status.uid(),
                component == 4 ? (int) value : status.gid(),
                component == 5 ? value : status.inode(),
                component == 6 ? value : status.size(),
                component == 7 ? value : status.allocatedBytes(),
                component == 8 ? value : status.accessedNanos(),
                component == 9 ? value : status.modifiedNanos(),
                component == 10 ? value : status.changedNanos(),
                component == 11 ? value : status.bornNanos(),
                component == 12 ? value : status.device(),
                status.deviceNode(),
                status.mountId());
    }
}
