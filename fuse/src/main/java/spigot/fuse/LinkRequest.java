package spigot.fuse;

/** LINK: a further name, in the directory {@link #nodeId}, for the node {@link #oldNodeId}. */
public final class LinkRequest extends EntryRequest<LinkRequest> {
    LinkRequest() {}

    public Name name() {
        return firstName;
    }

    public long oldNodeId() {
        return longAt(Layout.LINK_IN_OLD_NODE);
    }

    @Override
    LinkRequest blank() {
        return new LinkRequest();
    }

    @Override
    void serve(FileSystem fileSystem) throws Exception {
        fileSystem.link(this);
    }
}
