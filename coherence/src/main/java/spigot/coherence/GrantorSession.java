package spigot.coherence;

/** One session as a grantor knows it; what is held in it belongs to the kind of grantor. */
public class GrantorSession {
    public final ClientId client;
    public final long number;
    final long nonce;

    /** When it ends, unless it is renewed. */
    long deadlineMillis;

    protected GrantorSession(ClientId client, long number, long nonce) {
        this.client = client;
        this.number = number;
        this.nonce = nonce;
    }
}
