package spigot.fuse;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A file, directory or link of {@link MemoryFileSystem}; guarded by the lock of that. */
final class MemoryNode {
    static final int TYPE = 0170000;
    static final int DIRECTORY = 0040000;
    static final int FILE = 0100000;
    static final int SYMLINK = 0120000;

    record Lock(long owner, long start, long end, int type, int pid) {
        boolean conflictsWith(Lock other) {
            return owner != other.owner
                    && start <= other.end
                    && other.start <= end
                    && (type == LockRequest.WRITE || other.type == LockRequest.WRITE);
        }
    }

    final long id;
    final Map<String, MemoryNode> children = new TreeMap<>();
    final Map<String, byte[]> xattrs = new TreeMap<>();
    final List<Lock> locks = new ArrayList<>();
    final List<LockRequest> lockWaiters = new ArrayList<>();
    int mode;
    int uid;
    int gid;
    int links;
    int device;
    long modifySeconds = 1_700_000_000;
    int modifyNanos = 123_456_789;
    long accessSeconds = 1_700_000_001;
    int accessNanos;
    byte[] content = new byte[0];
    int size;
    byte[] target = new byte[0];
    long lookups;

    MemoryNode(long id, int mode, int uid, int gid) {
        this.id = id;
        this.mode = mode;
        this.uid = uid;
        this.gid = gid;
        this.links = isDirectory() ? 2 : 1;
    }

    boolean isDirectory() {
        return (mode & TYPE) == DIRECTORY;
    }

    void resize(int newSize) {
        if (newSize > content.length) {
            content = java.util.Arrays.copyOf(content, Math.max(newSize, content.length * 2));
        }
        if (newSize < size) {
            java.util.Arrays.fill(content, newSize, size, (byte) 0);
        }
        size = newSize;
    }

    void fill(NodeAttributes to) {
        to.clear();
        to.inode = id;
        to.mode = mode;
        to.uid = uid;
        to.gid = gid;
        to.links = links;
        to.device = device;
        to.size = (mode & TYPE) == SYMLINK ? target.length : size;
        to.blocks = (to.size + 511) / 512;
        to.modifySeconds = modifySeconds;
        to.modifyNanos = modifyNanos;
        to.accessSeconds = accessSeconds;
        to.accessNanos = accessNanos;
        to.changeSeconds = modifySeconds;
        to.changeNanos = modifyNanos;
    }
}
