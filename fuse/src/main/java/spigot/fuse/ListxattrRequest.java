package spigot.fuse;

/** LISTXATTR: the names of all extended attributes. */
public final class ListxattrRequest extends XattrBytesRequest<ListxattrRequest> {
    ListxattrRequest() {}

    /** Answers with the names, each followed by a zero byte, or with their size or ERANGE where the caller asked so. */
    public boolean reply(byte[] names) {
        return sendSized(names, intAt(Layout.GETXATTR_IN_SIZE));
    }

    @Override
    ListxattrRequest blank() {
        return new ListxattrRequest();
    }

    @Override
    void serve(FileSystem fileSystem) throws Exception {
        fileSystem.listxattr(this);
    }
}
