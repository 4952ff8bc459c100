package spigot.session;

import java.time.Duration;
import java.util.Optional;
import spigot.coherence.HolderConfig;
import spigot.coherence.Lease;
import spigot.model.FileId;
import spigot.transport.Link;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Grant;
import spigot.transport.wire.LeaseKind;
import spigot.transport.wire.Want;

/** The client's side of leases: one session with one grantor, over one link after the other. Safe for any thread. */
public final class LeaseHolder implements AutoCloseable {
    /** @param grantorName for messages and logs */
    public LeaseHolder(
            String grantorName, LeaseKind kind, HolderConfig config, BootClock clock, DropListener dropListener) {
        throw new UnsupportedOperationException();
    }

    /** There is a link to the grantor: the session resumes on it if its lease has not run out, else a new one begins. Never blocks. */
    public void linkUp(Link link) {
        throw new UnsupportedOperationException();
    }

    /** The link is gone: the leases stay valid until the session's lease runs out. Never blocks. */
    public void linkDown(Link link) {
        throw new UnsupportedOperationException();
    }

    /** @return whether the message was a Revoke from this grantor; never blocks */
    public boolean message(Link from, Envelope message) {
        throw new UnsupportedOperationException();
    }

    /** What to put into a request to ask for a lease; waits until there is a session. Empty when there was none in time. */
    public Optional<Want> want(Duration patience) throws InterruptedException {
        throw new UnsupportedOperationException();
    }

    /**
     * Takes the grant that came with a reply.
     *
     * @param grant as it came; the default instance when the reply had none
     * @return the lease to keep together with what the reply said, or empty: the reply is good for this call only
     */
    public Optional<Lease> granted(Grant grant) {
        throw new UnsupportedOperationException();
    }

    /** Whether what was stored with this lease may be used. For the hit path: takes no lock and allocates nothing. */
    public boolean valid(Lease lease) {
        throw new UnsupportedOperationException();
    }

    /** Whether any lease on the object is held now; what was stored with a lease needs {@link #valid(Lease)}. */
    public boolean valid(FileId object) {
        throw new UnsupportedOperationException();
    }

    /** The lease is not wanted any more; what was cached under it is dropped already. */
    public void giveUp(FileId object) {
        throw new UnsupportedOperationException();
    }

    /** A request with this session's Want failed with UNKNOWN_SESSION: drops all, and begins another session. */
    public void sessionUnknown(long session) {
        throw new UnsupportedOperationException();
    }

    /** Whether there is a link and a session whose lease runs. */
    public boolean connected() {
        throw new UnsupportedOperationException();
    }

    /** Number of leases that are held. */
    public int leases() {
        throw new UnsupportedOperationException();
    }

    @Override
    public void close() {}
}
