package spigot.coherence;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import spigot.coherence.GrantorAction.Reason;
import spigot.model.FileId;
import spigot.model.NodeId;

/** A grantor with a clock to turn by hand. */
final class GrantorBench {
    static final GrantorConfig CONFIG = new GrantorConfig(1_000, 100, 1_100, 50, 3, 4, 2, 4);
    static final ClientId ALICE = new ClientId(new NodeId(0, 1), 0);
    static final ClientId BOB = new ClientId(new NodeId(0, 2), 0);

    final Grantor grantor;
    long now = 5_000;
    private long numbers;

    GrantorBench() {
        this(EnumSet.allOf(Guard.class), 1, false);
    }

    GrantorBench(Set<Guard> guards, long epoch, boolean formerLife) {
        grantor = new Grantor(CONFIG, epoch, formerLife, now, guards);
    }

    long number() {
        return ++numbers;
    }

    List<GrantorAction> on(GrantorEvent event) {
        List<GrantorAction> actions = new ArrayList<>();
        grantor.on(event, now, actions::add);
        return actions;
    }

    List<GrantorAction> after(long millis) {
        now += millis;
        return on(new GrantorEvent.Tick());
    }

    /** Begins a session and uses it. */
    long session(ClientId client, long nonce) {
        long session = hello(client, nonce).session();
        renew(client, session);
        return session;
    }

    GrantorAction.Welcome hello(ClientId client, long nonce) {
        return find(on(new GrantorEvent.Hello(number(), client, nonce)), GrantorAction.Welcome.class);
    }

    GrantorAction renew(ClientId client, long session) {
        return on(new GrantorEvent.Renew(number(), client.node(), session)).getLast();
    }

    GrantorAction acquire(ClientId client, long session, FileId object) {
        return on(new GrantorEvent.Acquire(number(), client.node(), session, object))
                .getLast();
    }

    long grant(ClientId client, long session, FileId object) {
        return ((GrantorAction.Granted) acquire(client, session, object)).grantSequence();
    }

    List<GrantorAction> ack(ClientId client, long session, GrantorAction.Revoke revoke) {
        return on(new GrantorEvent.RevokeAck(client.node(), session, revoke.object(), revoke.revokeSequence()));
    }

    static <T extends GrantorAction> T find(List<GrantorAction> actions, Class<T> type) {
        return all(actions, type).getFirst();
    }

    static <T extends GrantorAction> List<T> all(List<GrantorAction> actions, Class<T> type) {
        return actions.stream().filter(type::isInstance).map(type::cast).toList();
    }

    static boolean refused(GrantorAction action, Reason reason) {
        return action instanceof GrantorAction.Refused refused && refused.reason() == reason;
    }
}
