package spigot.session;

import java.io.IOException;
import java.time.Duration;
import java.util.Collection;
import java.util.Optional;
import java.util.function.Supplier;
import spigot.coherence.GrantorConfig;
import spigot.model.FileId;
import spigot.model.Version;
import spigot.transport.CallTimeoutException;
import spigot.transport.FailureException;
import spigot.transport.Link;
import spigot.transport.Responder;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Grant;
import spigot.transport.wire.LeaseKind;
import spigot.transport.wire.Want;

/** The server's side of leases. Safe for any thread. */
public final class LeaseGrantor implements AutoCloseable {
    /** Makes a change visible. */
    @FunctionalInterface
    public interface Change<T, E extends Exception> {
        T apply() throws E;
    }

    /**
     * @param name for messages and logs
     * @param kind which requests of a link are for this grantor
     * @param epoch higher than in any former life
     * @param formerLife whether there may have been leases before: then changes wait until these have run out
     */
    public LeaseGrantor(
            String name, LeaseKind kind, GrantorConfig config, long epoch, boolean formerLife, BootClock clock) {
        throw new UnsupportedOperationException();
    }

    /** @return whether the request was a Hello or a Renew for this grantor; then it is answered */
    public boolean request(Link from, Envelope request, Responder responder) throws IOException {
        throw new UnsupportedOperationException();
    }

    /** @return whether the message was a Release or a RevokeAck for this grantor; never blocks */
    public boolean message(Link from, Envelope message) {
        throw new UnsupportedOperationException();
    }

    /** The link is gone: its sessions go on until they expire, or resume on another link. */
    public void linkClosed(Link link) {
        throw new UnsupportedOperationException();
    }

    /**
     * Gives the lease that a request asks for; blocks while a change of the object is pending. To be called before what is
     * sent with the grant is read: only what is read afterwards may go with it.
     *
     * @param want as it came; without a session (the default instance) the answer is empty
     * @param current called after the lease stands, for the version that goes into the grant
     * @return empty when no lease can be given now: the answer is then good for this call only
     * @throws FailureException UNKNOWN_SESSION when the client has to say Hello first
     */
    public Optional<Grant> acquire(Link from, Want want, FileId object, Supplier<Version> current, Duration patience)
            throws FailureException, InterruptedException {
        throw new UnsupportedOperationException();
    }

    /**
     * Takes back all leases on the objects. Returns when nobody holds one; until the Recall is closed nobody gets one. No
     * client can delay it for longer than its lease and the margin.
     *
     * @throws CallTimeoutException when patience ran out first: nothing may change
     */
    public Recall recall(Collection<FileId> objects, Duration patience)
            throws CallTimeoutException, InterruptedException {
        throw new UnsupportedOperationException();
    }

    /** The usual use of {@link #recall}: takes the leases back, makes the change, lets grants go on. */
    public <T, E extends Exception> T changing(Collection<FileId> objects, Duration patience, Change<T, E> change)
            throws E, CallTimeoutException, InterruptedException {
        try (Recall _ = recall(objects, patience)) {
            return change.apply();
        }
    }

    public int sessions() {
        throw new UnsupportedOperationException();
    }

    public long leases() {
        throw new UnsupportedOperationException();
    }

    @Override
    public void close() {}
}
