package spigot.transport.tls;

/** What a frame is; {@link #code} is its byte on the wire. */
enum FrameKind {
    /** Wants one answer: any number of PARTs, then REPLY or FAILURE, with its call id. */
    REQUEST(1, true, false),
    /** The last answer; the only kind with a payload. */
    REPLY(2, true, true),
    /** An answer that more will follow. */
    PART(3, true, false),
    /** The last answer of a request that could not be carried out. */
    FAILURE(4, true, false),
    /** Wants no answer. */
    ONE_WAY(5, true, false),
    /** Nobody waits for the answer to this call id any more. */
    CANCEL(6, false, false),
    /** Wants a PONG, to know that the peer is there. */
    PING(7, false, false),
    PONG(8, false, false),
    /** The accepting side's answer to the preface: Done or Failure. Never later. */
    HELLO(9, true, false);

    private static final FrameKind[] BY_CODE = values();

    private final int code;
    private final boolean header;
    private final boolean payload;

    FrameKind(int code, boolean header, boolean payload) {
        this.code = code;
        this.header = header;
        this.payload = payload;
    }

    int code() {
        return code;
    }

    /** Whether an Envelope follows; the others have none. */
    boolean hasHeader() {
        return header;
    }

    boolean mayHavePayload() {
        return payload;
    }

    /** @throws MalformedFrameException for a code that no kind has */
    static FrameKind ofCode(int code) throws MalformedFrameException {
        if (code < 1 || code > BY_CODE.length) {
            throw new MalformedFrameException("unknown kind of frame " + code);
        }
        return BY_CODE[code - 1];
    }
}
