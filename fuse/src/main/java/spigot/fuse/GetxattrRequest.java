package spigot.fuse;

/** GETXATTR: the value of an extended attribute. */
public final class GetxattrRequest extends XattrBytesRequest<GetxattrRequest> {
    GetxattrRequest() {}

    public Name name() {
        return firstName;
    }

    /** Answers with the value, or with their size or ERANGE where the caller asked so. */
    public boolean reply(byte[] value) {
        return sendSized(value, intAt(Layout.GETXATTR_IN_SIZE));
    }

    @Override
    GetxattrRequest blank() {
        return new GetxattrRequest();
    }

    @Override
    void serve(FileSystem fileSystem) throws Exception {
        fileSystem.getxattr(this);
    }
}
