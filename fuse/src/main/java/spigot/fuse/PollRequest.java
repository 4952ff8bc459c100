package spigot.fuse;

import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

/** POLL: which events are ready on an open file? */
public final class PollRequest extends Request<PollRequest> {
    PollRequest() {}

    public long handle() {
        return longAt(Layout.POLL_IN_HANDLE);
    }

    public long kernelHandle() {
        return longAt(Layout.POLL_IN_KERNEL_HANDLE);
    }

    public int flags() {
        return intAt(Layout.POLL_IN_FLAGS);
    }

    public int events() {
        return intAt(Layout.POLL_IN_EVENTS);
    }

    public boolean reply(int readyEvents) {
        replyBuffer(Layout.POLL_OUT_BYTES).memory().set(JAVA_LONG_UNALIGNED, ReplyBuffer.PAYLOAD, readyEvents);
        return send(Layout.POLL_OUT_BYTES);
    }

    @Override
    PollRequest blank() {
        return new PollRequest();
    }

    @Override
    void serve(FileSystem fileSystem) throws Exception {
        fileSystem.poll(this);
    }
}
