package spigot.coherence;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import spigot.model.FileId;
import spigot.model.Version;

/** A holder with a clock to turn by hand; its nonces are 1, 2, 3... */
final class HolderBench {
    static final Version FIRST = new Version(1, 1);
    static final long LEASE_MILLIS = 1_000;

    final Holder holder;
    long now = 70_000;
    private long nonces;

    HolderBench() {
        this(EnumSet.allOf(Guard.class));
    }

    HolderBench(Set<Guard> guards) {
        holder = new Holder(new HolderConfig(0, 3, 2), () -> ++nonces, now, guards);
    }

    List<HolderAction> on(HolderEvent event) {
        List<HolderAction> actions = new ArrayList<>();
        holder.on(event, now, actions::add);
        return actions;
    }

    List<HolderAction> after(long millis) {
        now += millis;
        return on(new HolderEvent.Tick());
    }

    /** Link up and welcomed at this moment, in epoch 1. */
    HolderBench inSession(long session) {
        on(new HolderEvent.LinkUp());
        on(new HolderEvent.Welcomed(nonces, session, 1, LEASE_MILLIS, now));
        return this;
    }

    List<HolderAction> grant(long session, long epoch, FileId object, long sequence) {
        return on(new HolderEvent.Granted(session, epoch, object, sequence, FIRST));
    }

    List<HolderAction> revoke(long session, FileId object, long sequence) {
        return on(new HolderEvent.Revoked(session, 1, object, sequence));
    }

    List<HolderAction> dropped(FileId object) {
        return on(new HolderEvent.Dropped(object));
    }

    boolean valid(FileId object) {
        return holder.valid(object, now);
    }
}
