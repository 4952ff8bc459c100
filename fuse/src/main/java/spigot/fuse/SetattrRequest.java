package spigot.fuse;

/** SETATTR: change those attributes that {@link #valid} names; answered with all of them. */
public final class SetattrRequest extends AttributesRequest<SetattrRequest> {
    public static final int MODE = 1;
    public static final int UID = 1 << 1;
    public static final int GID = 1 << 2;
    public static final int SIZE = 1 << 3;
    public static final int ATIME = 1 << 4;
    public static final int MTIME = 1 << 5;
    public static final int HANDLE = 1 << 6;
    public static final int ATIME_NOW = 1 << 7;
    public static final int MTIME_NOW = 1 << 8;
    public static final int LOCK_OWNER = 1 << 9;
    public static final int CTIME = 1 << 10;
    public static final int KILL_SUIDGID = 1 << 11;

    SetattrRequest() {}

    /** Bits {@link #MODE}, {@link #SIZE} and so on: which of the values count. */
    public int valid() {
        return intAt(Layout.SETATTR_IN_VALID);
    }

    public boolean sets(int bit) {
        return (valid() & bit) != 0;
    }

    public long handle() {
        return longAt(Layout.SETATTR_IN_HANDLE);
    }

    public long size() {
        return longAt(Layout.SETATTR_IN_SIZE);
    }

    public long lockOwner() {
        return longAt(Layout.SETATTR_IN_LOCK_OWNER);
    }

    public long accessSeconds() {
        return longAt(Layout.SETATTR_IN_ATIME);
    }

    public int accessNanos() {
        return intAt(Layout.SETATTR_IN_ATIME_NANOS);
    }

    public long modifySeconds() {
        return longAt(Layout.SETATTR_IN_MTIME);
    }

    public int modifyNanos() {
        return intAt(Layout.SETATTR_IN_MTIME_NANOS);
    }

    public long changeSeconds() {
        return longAt(Layout.SETATTR_IN_CTIME);
    }

    public int changeNanos() {
        return intAt(Layout.SETATTR_IN_CTIME_NANOS);
    }

    public int mode() {
        return intAt(Layout.SETATTR_IN_MODE);
    }

    public int newUid() {
        return intAt(Layout.SETATTR_IN_UID);
    }

    public int newGid() {
        return intAt(Layout.SETATTR_IN_GID);
    }

    @Override
    SetattrRequest blank() {
        return new SetattrRequest();
    }

    @Override
    void serve(FileSystem fileSystem) throws Exception {
        fileSystem.setattr(this);
    }
}
