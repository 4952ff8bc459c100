package spigot.coherence;

import static org.assertj.core.api.Assertions.assertThat;
import static spigot.coherence.GrantorBench.ALICE;
import static spigot.coherence.GrantorBench.BOB;
import static spigot.coherence.GrantorBench.refused;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import spigot.coherence.GrantorAction.Reason;
import spigot.model.FileId;

/**
 * The guards that the simulation does not miss because another one stands behind them: what each does alone, and that it is
 * this guard that does it. All others are taken out one by one in the testbed's MutationTest.
 */
class GuardTest {
    private static final FileId ONE = new FileId(1, 1);

    @Test
    void onlyItsOwnClientMayUseASession() {
        assertThat(strangerIsRefused(all())).isTrue();
        assertThat(strangerIsRefused(without(Guard.OWN_SESSION))).isFalse();
    }

    @Test
    void aRevokeIsSentAgain() {
        assertThat(revokeIsRepeated(all())).isTrue();
        assertThat(revokeIsRepeated(without(Guard.REVOKE_AGAIN))).isFalse();
    }

    @Test
    void aGrantOfAnotherSessionIsNotApplied() {
        assertThat(applies(all(), 99, 1)).isFalse();
        assertThat(applies(without(Guard.GRANT_SESSION), 99, 1)).isTrue();
    }

    @Test
    void aGrantOfAnotherLifeIsNotApplied() {
        assertThat(applies(all(), 11, 2)).isFalse();
        assertThat(applies(without(Guard.GRANT_EPOCH), 11, 2)).isTrue();
    }

    @Test
    void aRenewalByAnotherLifeEndsTheSession() {
        assertThat(survivesRenewalByAnotherLife(all())).isFalse();
        assertThat(survivesRenewalByAnotherLife(without(Guard.RENEWAL_EPOCH))).isTrue();
    }

    private static boolean strangerIsRefused(Set<Guard> guards) {
        GrantorBench bench = new GrantorBench(guards, 1, false);
        long alice = bench.session(ALICE, 1);
        return refused(bench.acquire(BOB, alice, ONE), Reason.UNKNOWN_SESSION);
    }

    private static boolean revokeIsRepeated(Set<Guard> guards) {
        GrantorBench bench = new GrantorBench(guards, 1, false);
        long alice = bench.session(ALICE, 1);
        bench.grant(ALICE, alice, ONE);
        bench.on(new GrantorEvent.Change(9, List.of(ONE)));
        return !bench.after(50).isEmpty();
    }

    private static boolean applies(Set<Guard> guards, long session, long epoch) {
        HolderBench bench = new HolderBench(guards).inSession(11);
        bench.grant(session, epoch, ONE, 5);
        return bench.valid(ONE);
    }

    private static boolean survivesRenewalByAnotherLife(Set<Guard> guards) {
        HolderBench bench = new HolderBench(guards).inSession(11);
        bench.grant(11, 1, ONE, 5);
        bench.on(new HolderEvent.Renewed(11, 2, 1_000, bench.now));
        return bench.valid(ONE);
    }

    private static Set<Guard> all() {
        return EnumSet.allOf(Guard.class);
    }

    private static Set<Guard> without(Guard guard) {
        return EnumSet.complementOf(EnumSet.of(guard));
    }
}
