package spigot.fuse;

import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;

/** CREATE: make and open a file of the directory {@link #nodeId}; or TMPFILE: one without a name. */
public final class CreateRequest extends EntryRequest<CreateRequest> {
    CreateRequest() {}

    /** For TMPFILE without meaning. */
    public Name name() {
        return firstName;
    }

    public int flags() {
        return intAt(Layout.CREATE_IN_FLAGS);
    }

    public int mode() {
        return intAt(Layout.CREATE_IN_MODE);
    }

    /** To be applied only with {@link InitFlags#DONT_MASK}. */
    public int umask() {
        return intAt(Layout.CREATE_IN_UMASK);
    }

    /** As the replies of LOOKUP and OPEN together. */
    public boolean reply(Entry created, long handle, int openFlags) {
        MemorySegment memory =
                replyBuffer(Layout.ENTRY_OUT_BYTES + Layout.OPEN_OUT_BYTES).memory();
        long open = ReplyBuffer.PAYLOAD + Layout.ENTRY_OUT_BYTES;
        created.write(memory, ReplyBuffer.PAYLOAD);
        memory.set(JAVA_LONG_UNALIGNED, open + Layout.OPEN_OUT_HANDLE, handle);
        memory.set(JAVA_LONG_UNALIGNED, open + Layout.OPEN_OUT_FLAGS, openFlags);
        return send(Layout.ENTRY_OUT_BYTES + Layout.OPEN_OUT_BYTES);
    }

    @Override
    CreateRequest blank() {
        return new CreateRequest();
    }

    @Override
    void serve(FileSystem fileSystem) throws Exception {
        if (is(Opcode.CREATE)) {
            fileSystem.create(this);
        } else {
            fileSystem.tmpfile(this);
        }
    }
}
