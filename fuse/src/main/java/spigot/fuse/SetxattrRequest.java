package spigot.fuse;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

/** SETXATTR: set an extended attribute. */
public final class SetxattrRequest extends StatusRequest<SetxattrRequest> {
    SetxattrRequest() {}

    private boolean isExtended() {
        return negotiated(InitFlags.SETXATTR_EXT);
    }

    public Name name() {
        return firstName;
    }

    /** {@code XATTR_CREATE} 1, {@code XATTR_REPLACE} 2 or 0. */
    public int flags() {
        return intAt(Layout.SETXATTR_IN_FLAGS);
    }

    /** Whether setting this ACL drops the set-group-id bit. */
    public boolean killsSetGroupId() {
        return isExtended() && (intAt(Layout.SETXATTR_IN_SETXATTR_FLAGS) & 1) != 0;
    }

    public byte[] value() {
        return bytesAt(valueOffset(), intAt(Layout.SETXATTR_IN_SIZE)).toArray(JAVA_BYTE);
    }

    private int valueOffset() {
        return fixedBytes() + firstName.length() + 1;
    }

    @Override
    SetxattrRequest blank() {
        return new SetxattrRequest();
    }

    @Override
    void serve(FileSystem fileSystem) throws Exception {
        fileSystem.setxattr(this);
    }

    @Override
    int fixedBytes() {
        return isExtended() ? Layout.SETXATTR_IN_BYTES : Layout.SETXATTR_IN_COMPAT_BYTES;
    }

    @Override
    boolean bodyFits() {
        int size = intAt(Layout.SETXATTR_IN_SIZE);
        return size >= 0 && size <= bodyBytes() - valueOffset();
    }
}
