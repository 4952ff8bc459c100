package spigot.coherence;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static spigot.coherence.GrantorBench.ALICE;
import static spigot.coherence.GrantorBench.BOB;
import static spigot.coherence.GrantorBench.all;
import static spigot.coherence.GrantorBench.find;
import static spigot.coherence.GrantorBench.refused;

import java.util.EnumSet;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import spigot.coherence.GrantorAction.Cleared;
import spigot.coherence.GrantorAction.Granted;
import spigot.coherence.GrantorAction.Reason;
import spigot.coherence.GrantorAction.Refused;
import spigot.coherence.GrantorAction.Renewed;
import spigot.coherence.GrantorAction.Revoke;
import spigot.coherence.GrantorAction.SessionEnded;
import spigot.coherence.GrantorEvent.Change;
import spigot.coherence.GrantorEvent.Finish;
import spigot.model.FileId;

class GrantorTest {
    private static final FileId ONE = new FileId(1, 1);
    private static final FileId TWO = new FileId(1, 2);

    private final GrantorBench bench = new GrantorBench();

    @Test
    void aChangeOfWhatNobodyHoldsIsClearedAtOnce() {
        assertThat(bench.on(new Change(9, List.of(ONE, TWO)))).containsExactly(new Cleared(9));
        bench.on(new Finish(9));
        assertThat(bench.grantor.objects()).isZero();
    }

    @Test
    void aChangeIsClearedByTheLastAcknowledgement() {
        long alice = bench.session(ALICE, 1);
        long bob = bench.session(BOB, 2);
        bench.grant(ALICE, alice, ONE);
        bench.grant(BOB, bob, ONE);
        List<Revoke> revokes = all(bench.on(new Change(9, List.of(ONE))), Revoke.class);
        assertThat(revokes).extracting(Revoke::session).containsExactlyInAnyOrder(alice, bob);
        assertThat(bench.ack(ALICE, alice, of(revokes, alice))).isEmpty();
        assertThat(bench.ack(BOB, bob, of(revokes, bob))).containsExactly(new Cleared(9));
    }

    @Test
    void aChangeOfSeveralObjectsIsClearedWhenAllAreFree() {
        long alice = bench.session(ALICE, 1);
        bench.grant(ALICE, alice, ONE);
        bench.grant(ALICE, alice, TWO);
        List<Revoke> revokes = all(bench.on(new Change(9, List.of(ONE, TWO, ONE))), Revoke.class);
        assertThat(revokes).hasSize(2);
        assertThat(bench.ack(ALICE, alice, revokes.get(1))).isEmpty();
        assertThat(bench.ack(ALICE, alice, revokes.get(0))).containsExactly(new Cleared(9));
    }

    @Test
    void whoAsksDuringAChangeGetsTheLeaseWhenItIsFinished() {
        long alice = bench.session(ALICE, 1);
        bench.on(new Change(9, List.of(ONE)));
        GrantorEvent.Acquire acquire = new GrantorEvent.Acquire(77, ALICE.node(), alice, ONE);
        assertThat(bench.on(acquire)).isEmpty();
        assertThat(bench.on(new Finish(9))).singleElement().isInstanceOf(Granted.class);
        assertThat(bench.grantor.waiting()).isZero();
    }

    @Test
    void whoAsksWhileItsOwnRevokeIsOpenIsRefusedSoThatItsAnswerDoesNotWaitForItself() {
        long alice = bench.session(ALICE, 1);
        bench.grant(ALICE, alice, ONE);
        bench.on(new Change(9, List.of(ONE)));
        assertThat(refused(bench.acquire(ALICE, alice, ONE), Reason.REVOKING)).isTrue();
    }

    @Test
    void changesOfOneObjectHappenInOrderAndAcquiresKeepTheirPlaceBetweenThem() {
        long alice = bench.session(ALICE, 1);
        assertThat(bench.on(new Change(1, List.of(ONE)))).containsExactly(new Cleared(1));
        bench.on(new GrantorEvent.Acquire(50, ALICE.node(), alice, ONE));
        assertThat(bench.on(new Change(2, List.of(ONE)))).isEmpty();
        List<GrantorAction> finished = bench.on(new Finish(1));
        assertThat(finished.get(0)).isInstanceOf(Granted.class);
        assertThat(finished.get(1)).isInstanceOf(Revoke.class);
        assertThat(bench.ack(ALICE, alice, (Revoke) finished.get(1))).containsExactly(new Cleared(2));
    }

    @Test
    void overlappingChangesInOppositeOrderDoNotBlockEachOther() {
        assertThat(bench.on(new Change(1, List.of(ONE, TWO)))).containsExactly(new Cleared(1));
        assertThat(bench.on(new Change(2, List.of(TWO, ONE)))).isEmpty();
        assertThat(bench.on(new Finish(1))).containsExactly(new Cleared(2));
    }

    @Test
    void aChangeThatIsGivenUpLetsGoWhatWaitsBehindIt() {
        long alice = bench.session(ALICE, 1);
        long bob = bench.session(BOB, 2);
        bench.grant(ALICE, alice, ONE);
        Revoke revoke = find(bench.on(new Change(1, List.of(ONE))), Revoke.class);
        bench.on(new GrantorEvent.Acquire(50, BOB.node(), bob, ONE));
        assertThat(bench.on(new Finish(1))).singleElement().isInstanceOf(Granted.class);
        bench.ack(ALICE, alice, revoke);
        assertThat(bench.grantor.leases()).isEqualTo(1);
    }

    @Test
    void whoHasWithdrawnGetsNothing() {
        long alice = bench.session(ALICE, 1);
        bench.on(new Change(9, List.of(ONE)));
        bench.on(new GrantorEvent.Acquire(50, ALICE.node(), alice, ONE));
        bench.on(new GrantorEvent.Withdraw(50));
        assertThat(bench.on(new Finish(9))).isEmpty();
        assertThat(bench.grantor.objects()).isZero();
    }

    @Test
    void aRevokeIsRepeatedUntilItIsAcknowledged() {
        long alice = bench.session(ALICE, 1);
        bench.grant(ALICE, alice, ONE);
        Revoke revoke = find(bench.on(new Change(9, List.of(ONE))), Revoke.class);
        assertThat(bench.after(49)).isEmpty();
        assertThat(bench.after(1)).containsExactly(revoke);
        assertThat(bench.after(50)).containsExactly(revoke);
        bench.ack(ALICE, alice, revoke);
        assertThat(bench.after(50)).isEmpty();
    }

    @Test
    void aSilentHolderEndsWithItsDeadlineWhichIncludesTheMargin() {
        long alice = bench.session(ALICE, 1);
        bench.grant(ALICE, alice, ONE);
        bench.on(new Change(9, List.of(ONE)));
        assertThat(all(bench.after(1_099), Cleared.class)).isEmpty();
        assertThat(bench.after(1)).contains(new Cleared(9), new SessionEnded(ALICE.node(), alice));
        assertThat(bench.grantor.leases()).isZero();
    }

    @Test
    void aHolderThatRenewsButNeverAcknowledgesIsNotRenewedForEver() {
        long alice = bench.session(ALICE, 1);
        bench.grant(ALICE, alice, ONE);
        bench.on(new Change(9, List.of(ONE)));
        long began = bench.now;
        boolean cleared = false;
        for (int i = 0; i < 30 && !cleared; i++) {
            cleared = !all(bench.after(100), Cleared.class).isEmpty();
            if (!cleared) {
                bench.renew(ALICE, alice);
            }
        }
        assertThat(cleared).isTrue();
        assertThat(bench.now - began).isLessThanOrEqualTo(1_000 + 1_100 + 100);
    }

    @Test
    void noCopyOfAHelloProlongsASessionThatOwesAnAcknowledgement() {
        long alice = bench.session(ALICE, 1);
        bench.grant(ALICE, alice, ONE);
        bench.on(new Change(9, List.of(ONE)));
        bench.after(900);
        bench.renew(ALICE, alice);
        bench.after(101);
        assertThat(refused(
                        bench.on(new GrantorEvent.Hello(bench.number(), ALICE, 1))
                                .getLast(),
                        Reason.REVOKING))
                .isTrue();
    }

    @Test
    void aNewSessionEndsTheOldOneWhenItIsFirstUsed() {
        long old = bench.session(ALICE, 1);
        bench.grant(ALICE, old, ONE);
        long fresh = bench.hello(ALICE, 2).session();
        assertThat(bench.grantor.leases()).isEqualTo(1);
        assertThat(bench.on(new GrantorEvent.Renew(bench.number(), ALICE.node(), fresh)))
                .contains(new SessionEnded(ALICE.node(), old));
        assertThat(bench.grantor.leases()).isZero();
        assertThat(refused(bench.renew(ALICE, old), Reason.UNKNOWN_SESSION)).isTrue();
    }

    @Test
    void theSameHelloTwiceBeginsOneSession() {
        long first = bench.hello(ALICE, 1).session();
        assertThat(bench.hello(ALICE, 1).session()).isEqualTo(first);
        bench.renew(ALICE, first);
        assertThat(bench.hello(ALICE, 1).session()).isEqualTo(first);
        assertThat(bench.grantor.sessions()).isEqualTo(1);
    }

    @Test
    void twoMountsOfOneIdentityDoNotEndEachOther() {
        long first = bench.session(ALICE, 1);
        bench.session(new ClientId(ALICE.node(), 7), 2);
        assertThat(bench.renew(ALICE, first)).isInstanceOf(Renewed.class);
    }

    @Test
    void byeEndsTheSessionAtOnce() {
        long alice = bench.session(ALICE, 1);
        bench.grant(ALICE, alice, ONE);
        bench.on(new GrantorEvent.Bye(ALICE.node(), alice));
        assertThat(bench.on(new Change(9, List.of(ONE)))).containsExactly(new Cleared(9));
    }

    @Test
    void aGrantorWithAFormerLifeGrantsButChangesNothingInItsGrace() {
        GrantorBench again = new GrantorBench(EnumSet.allOf(Guard.class), 2, true);
        long alice = again.session(ALICE, 1);
        assertThat(again.acquire(ALICE, alice, TWO)).isInstanceOf(Granted.class);
        assertThat(again.on(new Change(9, List.of(ONE)))).isEmpty();
        assertThat(again.after(1_099)).isEmpty();
        assertThat(again.after(1)).contains(new Cleared(9));
    }

    @Test
    void noTwoLivesUseTheSameSessionNumbers() {
        GrantorBench again = new GrantorBench(EnumSet.allOf(Guard.class), 2, true);
        assertThat(again.session(ALICE, 1)).isNotEqualTo(bench.session(ALICE, 1));
    }

    @Test
    void aReleaseOfAnEarlierGrantDoesNotTakeTheLaterOne() {
        long alice = bench.session(ALICE, 1);
        long first = bench.grant(ALICE, alice, ONE);
        long second = bench.grant(ALICE, alice, ONE);
        bench.on(new GrantorEvent.Release(ALICE.node(), alice, ONE, first));
        assertThat(bench.grantor.leases()).isEqualTo(1);
        bench.on(new GrantorEvent.Release(ALICE.node(), alice, ONE, second));
        assertThat(bench.grantor.leases()).isZero();
        assertThat(bench.grantor.objects()).isZero();
    }

    @Test
    void everyBoundIsKeptAndRefusedByName() {
        long alice = bench.session(ALICE, 1);
        for (int i = 0; i < 4; i++) {
            bench.grant(ALICE, alice, new FileId(2, i));
        }
        List<GrantorAction> beyond = bench.on(new GrantorEvent.Acquire(bench.number(), ALICE.node(), alice, ONE));
        assertThat(refused(beyond.getLast(), Reason.TOO_MANY_LEASES)).isTrue();
        Revoke oldest = find(beyond, Revoke.class);
        assertThat(oldest.object()).isEqualTo(new FileId(2, 0));
        bench.ack(ALICE, alice, oldest);
        assertThat(bench.acquire(ALICE, alice, ONE)).isInstanceOf(Granted.class);

        bench.session(BOB, 2);
        bench.session(new ClientId(BOB.node(), 1), 3);
        assertThat(bench.on(new GrantorEvent.Hello(1_000, new ClientId(BOB.node(), 2), 4)))
                .containsExactly(new Refused(1_000, Reason.TOO_MANY_SESSIONS));

        bench.on(new Change(900, List.of(TWO)));
        bench.on(new GrantorEvent.Acquire(2_000, ALICE.node(), alice, TWO));
        bench.on(new GrantorEvent.Acquire(2_001, ALICE.node(), alice, TWO));
        assertThat(bench.on(new GrantorEvent.Acquire(2_002, ALICE.node(), alice, TWO)))
                .containsExactly(new Refused(2_002, Reason.TOO_MANY_WAITING));
        List<FileId> tooMany =
                LongStream.range(0, 5).mapToObj(i -> new FileId(3, i)).toList();
        assertThatThrownBy(() -> bench.on(new Change(901, tooMany))).isInstanceOf(InvariantException.class);
    }

    @Test
    void timeThatGoesBackIsADefect() {
        bench.now--;
        assertThatThrownBy(() -> bench.after(0)).isInstanceOf(InvariantException.class);
    }

    private static Revoke of(List<Revoke> revokes, long session) {
        return revokes.stream()
                .filter(revoke -> revoke.session() == session)
                .findFirst()
                .orElseThrow();
    }
}
