package spigot.transport;

import java.util.concurrent.atomic.LongAdder;

/**
 * What moved through the links of a process since its start. One instance is shared by the server and all connectors of a
 * process. Safe for any thread.
 *
 * <p>Wire bytes are what the sockets carried: ciphertext, handshakes and keepalives included, TCP and IP headers not.
 * Payload bytes are the file data behind replies alone.
 */
public final class TransportCounters {
    private final LongAdder wireReceivedBytes = new LongAdder();
    private final LongAdder wireSentBytes = new LongAdder();
    private final LongAdder payloadReceivedBytes = new LongAdder();
    private final LongAdder payloadSentBytes = new LongAdder();

    public long wireReceivedBytes() {
        return wireReceivedBytes.sum();
    }

    public long wireSentBytes() {
        return wireSentBytes.sum();
    }

    public long payloadReceivedBytes() {
        return payloadReceivedBytes.sum();
    }

    public long payloadSentBytes() {
        return payloadSentBytes.sum();
    }

    /** For the transports. */
    public void wireReceived(long bytes) {
        wireReceivedBytes.add(bytes);
    }

    /** For the transports. */
    public void wireSent(long bytes) {
        wireSentBytes.add(bytes);
    }

    /** For the transports. */
    public void payloadReceived(long bytes) {
        payloadReceivedBytes.add(bytes);
    }

    /** For the transports. */
    public void payloadSent(long bytes) {
        payloadSentBytes.add(bytes);
    }
}
