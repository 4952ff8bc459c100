package spigot.session;

import spigot.coherence.GrantorAction;
import spigot.model.FileId;
import spigot.transport.Messages;
import spigot.transport.wire.Bye;
import spigot.transport.wire.ChangeSeen;
import spigot.transport.wire.Done;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Hello;
import spigot.transport.wire.LeaseKind;
import spigot.transport.wire.OwnChange;
import spigot.transport.wire.Release;
import spigot.transport.wire.Renew;
import spigot.transport.wire.Renewed;
import spigot.transport.wire.Revoke;
import spigot.transport.wire.RevokeAck;
import spigot.transport.wire.Welcome;

/** The messages of sessions, in their envelopes. */
final class LeaseMessages {
    private LeaseMessages() {}

    static Envelope hello(long nonce, long instance, LeaseKind kind) {
        return Envelope.newBuilder()
                .setHello(
                        Hello.newBuilder().setNonce(nonce).setInstance(instance).setKind(kind))
                .build();
    }

    static Envelope welcome(long session, long epoch, long leaseMillis) {
        return Envelope.newBuilder()
                .setWelcome(
                        Welcome.newBuilder().setSession(session).setEpoch(epoch).setLeaseMillis((int) leaseMillis))
                .build();
    }

    static Envelope renew(long session, LeaseKind kind) {
        return Envelope.newBuilder()
                .setRenew(Renew.newBuilder().setSession(session).setKind(kind))
                .build();
    }

    static Envelope renewed(long epoch, long leaseMillis) {
        return Envelope.newBuilder()
                .setRenewed(Renewed.newBuilder().setEpoch(epoch).setLeaseMillis((int) leaseMillis))
                .build();
    }

    static Envelope revoke(GrantorAction.Revoke revoke, LeaseKind kind) {
        return Envelope.newBuilder()
                .setRevoke(Revoke.newBuilder()
                        .setSession(revoke.session())
                        .setEpoch(revoke.epoch())
                        .setObject(Messages.bytes(revoke.object()))
                        .setSequence(revoke.revokeSequence())
                        .setKind(kind))
                .build();
    }

    static Envelope revokeAck(long session, FileId object, long sequence, LeaseKind kind) {
        return Envelope.newBuilder()
                .setRevokeAck(RevokeAck.newBuilder()
                        .setSession(session)
                        .setObject(Messages.bytes(object))
                        .setSequence(sequence)
                        .setKind(kind))
                .build();
    }

    static Envelope release(long session, FileId object, long sequence, LeaseKind kind) {
        return Envelope.newBuilder()
                .setRelease(Release.newBuilder()
                        .setSession(session)
                        .setObject(Messages.bytes(object))
                        .setSequence(sequence)
                        .setKind(kind))
                .build();
    }

    static Envelope seen(OwnChange own) {
        return Envelope.newBuilder()
                .setChangeSeen(ChangeSeen.newBuilder()
                        .setSession(own.getSession())
                        .setEpoch(own.getEpoch())
                        .setChange(own.getChange()))
                .build();
    }

    static Envelope done() {
        return Envelope.newBuilder().setDone(Done.getDefaultInstance()).build();
    }

    static Envelope bye(long session, LeaseKind kind) {
        return Envelope.newBuilder()
                .setBye(Bye.newBuilder().setSession(session).setKind(kind))
                .build();
    }
}
