package spigot.fuse;

/** READDIR or READDIRPLUS: names of a directory from a position on. */
public final class ReaddirRequest extends Request<ReaddirRequest> {
    private final DirectoryWriter writer = new DirectoryWriter();

    ReaddirRequest() {}

    public long handle() {
        return longAt(Layout.READ_IN_HANDLE);
    }

    /** 0, or the position that came with the last name that the kernel has. */
    public long offset() {
        return longAt(Layout.READ_IN_OFFSET);
    }

    /** Bytes of the answer at most. */
    public int size() {
        return intAt(Layout.READ_IN_SIZE);
    }

    /** Whether each name is to come with its entry: {@link DirectoryWriter#add(byte[], Entry, long)}. */
    public boolean isPlus() {
        return is(Opcode.READDIRPLUS);
    }

    /** An empty list of names to fill and {@link #reply} with. */
    public DirectoryWriter names() {
        writer.start(replyBuffer(size()).memory(), ReplyBuffer.PAYLOAD, size(), isPlus());
        return writer;
    }

    /** Sends the names that were added; none says that the directory ends. */
    public boolean reply() {
        return send(writer.bytes());
    }

    @Override
    ReaddirRequest blank() {
        return new ReaddirRequest();
    }

    @Override
    void serve(FileSystem fileSystem) throws Exception {
        fileSystem.readdir(this);
    }

    @Override
    boolean bodyFits() {
        return size() >= 0 && size() <= maxReplyBytes();
    }
}
