package spigot.coherence;

import static org.assertj.core.api.Assertions.assertThat;
import static spigot.coherence.GrantorBench.ALICE;
import static spigot.coherence.GrantorBench.BOB;
import static spigot.coherence.GrantorBench.all;
import static spigot.coherence.GrantorBench.find;
import static spigot.coherence.GrantorBench.refused;

import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import spigot.coherence.GrantorAction.Cleared;
import spigot.coherence.GrantorAction.Finished;
import spigot.coherence.GrantorAction.Granted;
import spigot.coherence.GrantorAction.OwnChange;
import spigot.coherence.GrantorAction.Reason;
import spigot.coherence.GrantorAction.Revoke;
import spigot.coherence.GrantorAction.SessionEnded;
import spigot.coherence.GrantorEvent.Actor;
import spigot.coherence.GrantorEvent.Change;
import spigot.coherence.GrantorEvent.Finish;
import spigot.coherence.GrantorEvent.Seen;
import spigot.coherence.GrantorEvent.Visible;
import spigot.model.FileId;
import spigot.model.Version;

@DisplayName("A change on behalf of a client")
class OwnChangeTest {
    private static final FileId ONE = new FileId(1, 1);
    private static final FileId TWO = new FileId(1, 2);

    @Nested
    @DisplayName("at the grantor")
    class AtTheGrantor {
        private GrantorBench bench = new GrantorBench();
        private long alice = bench.session(ALICE, 1);
        private long bob = bench.session(BOB, 2);

        private void without(Guard guard) {
            Set<Guard> guards = EnumSet.complementOf(EnumSet.of(guard));
            bench = new GrantorBench(guards, 1, false);
            alice = bench.session(ALICE, 1);
            bob = bench.session(BOB, 2);
        }

        private List<GrantorAction> change(long number, ClientId client, long session, FileId... objects) {
            return bench.on(new Change(number, List.of(objects), Optional.of(new Actor(client.node(), session))));
        }

        private List<GrantorAction> seen(ClientId client, long session, long number) {
            return bench.on(new Seen(client.node(), session, number));
        }

        @Test
        void sparesTheLeasesOfTheActorAndTakesBackAllOthers() {
            bench.grant(ALICE, alice, ONE);
            bench.grant(BOB, bob, ONE);
            List<Revoke> revokes = all(change(9, ALICE, alice, ONE), Revoke.class);
            assertThat(revokes).extracting(Revoke::session).containsExactly(bob);
            assertThat(bench.ack(BOB, bob, revokes.getFirst())).containsExactly(new Cleared(9));
            assertThat(bench.grantor.leases()).isEqualTo(1);
        }

        @Test
        void tellsTheActorWhatItKeepsWithNewSequences() {
            long sequence = bench.grant(ALICE, alice, ONE);
            change(9, ALICE, alice, ONE, TWO);
            OwnChange own = find(bench.on(new Visible(9)), OwnChange.class);
            assertThat(own.session()).isEqualTo(alice);
            assertThat(own.held()).singleElement().satisfies(held -> {
                assertThat(held.object()).isEqualTo(ONE);
                assertThat(held.kept()).isTrue();
                assertThat(held.sequence()).isGreaterThan(sequence);
            });
        }

        @Test
        void staysOpenUntilTheActorHasSeenIt() {
            bench.grant(ALICE, alice, ONE);
            change(9, ALICE, alice, ONE);
            bench.on(new Visible(9));
            assertThat(bench.on(new GrantorEvent.Acquire(50, BOB.node(), bob, ONE)))
                    .isEmpty();
            assertThat(bench.grantor.isUnseen(ONE, bob)).isTrue();
            assertThat(bench.grantor.isUnseen(ONE, 0)).isTrue();
            assertThat(bench.grantor.isUnseen(ONE, alice)).isFalse();
            List<GrantorAction> seen = seen(ALICE, alice, 9);
            assertThat(find(seen, Granted.class).request()).isEqualTo(50);
            assertThat(seen).contains(new Finished(9));
            assertThat(bench.grantor.isUnseen(ONE, bob)).isFalse();
            assertThat(seen(ALICE, alice, 9)).isEmpty();
            assertThat(bench.grantor.changes()).isZero();
        }

        @Test
        void isFinishedAtOnceWhenTheActorHoldsNothingOfIt() {
            change(9, ALICE, alice, ONE);
            assertThat(bench.on(new Visible(9))).containsExactly(new Finished(9));
            assertThat(bench.grantor.objects()).isZero();
        }

        @Test
        void isFinishedWhenTheActorGivesItsLeasesBack() {
            long sequence = bench.grant(ALICE, alice, ONE);
            bench.grant(ALICE, alice, TWO);
            change(9, ALICE, alice, ONE, TWO);
            OwnChange own = find(bench.on(new Visible(9)), OwnChange.class);
            // The actor may not know of its change yet.
            assertThat(bench.on(new GrantorEvent.Release(ALICE.node(), alice, ONE, sequence)))
                    .isEmpty();
            assertThat(bench.on(new GrantorEvent.Release(
                            ALICE.node(), alice, TWO, own.held().get(1).sequence())))
                    .containsExactly(new Finished(9));
            assertThat(bench.grantor.objects()).isZero();
        }

        @Test
        void isFinishedWhenTheActorsSessionEnds() {
            bench.grant(ALICE, alice, ONE);
            change(9, ALICE, alice, ONE);
            bench.on(new Visible(9));
            assertThat(bench.on(new GrantorEvent.Bye(ALICE.node(), alice)))
                    .containsExactly(new Finished(9), new SessionEnded(ALICE.node(), alice));
            assertThat(bench.grantor.objects()).isZero();
        }

        @Test
        void whoseActorHasEndedBeforeItTookEffectIsFinishedThen() {
            bench.grant(ALICE, alice, ONE);
            change(9, ALICE, alice, ONE);
            bench.on(new GrantorEvent.Bye(ALICE.node(), alice));
            assertThat(bench.grantor.isUnseen(ONE, bob)).isFalse();
            assertThat(bench.on(new Visible(9))).containsExactly(new Finished(9));
        }

        @Test
        void isLikeAnyOtherWhenThereIsNoSuchSession() {
            bench.grant(ALICE, alice, ONE);
            assertThat(change(9, ALICE, 4_711, ONE)).singleElement().isInstanceOf(Revoke.class);
            assertThat(change(10, BOB, alice, TWO)).containsExactly(new Cleared(10));
        }

        @Test
        void thatIsGivenUpLeavesTheLeaseAsItWas() {
            bench.grant(ALICE, alice, ONE);
            change(9, ALICE, alice, ONE);
            bench.on(new Finish(9));
            assertThat(bench.grantor.leases()).isEqualTo(1);
            assertThat(bench.on(new Visible(9))).isEmpty();
        }

        @Test
        void keepsAnActorThatDoesNotSayWhatItSawFromBeingRenewed() {
            bench.grant(ALICE, alice, ONE);
            change(9, ALICE, alice, ONE);
            bench.on(new Visible(9));
            bench.after(600);
            bench.renew(ALICE, alice);
            bench.after(401);
            assertThat(refused(bench.renew(ALICE, alice), Reason.REVOKING)).isTrue();
            assertThat(bench.after(700)).contains(new Finished(9));
        }

        @Test
        void isSeenOnlyByItsActor() {
            assertThat(strangerFinishes()).isFalse();
            without(Guard.SEEN_BY_THE_ACTOR);
            assertThat(strangerFinishes()).isTrue();
        }

        private boolean strangerFinishes() {
            bench.grant(ALICE, alice, ONE);
            change(9, ALICE, alice, ONE);
            bench.on(new Visible(9));
            return seen(BOB, bob, 9).contains(new Finished(9));
        }

        @Test
        void twoActorsOfOneDirectoryTakeTurnsAndNeitherWaitsForItself() {
            bench.grant(ALICE, alice, ONE);
            bench.grant(BOB, bob, ONE);
            Revoke ofBob = find(change(1, ALICE, alice, ONE), Revoke.class);
            assertThat(change(2, BOB, bob, ONE)).isEmpty();
            // Bob is an actor that waits, and still has to give his lease back for the one before him.
            assertThat(bench.ack(BOB, bob, ofBob)).containsExactly(new Cleared(1));
            bench.on(new Visible(1));
            // What Bob's kernel asks for is answered before Bob's own change, but not before Alice has seen hers.
            bench.on(new GrantorEvent.Acquire(50, BOB.node(), bob, ONE));
            List<GrantorAction> seen = seen(ALICE, alice, 1);
            assertThat(find(seen, Granted.class).request()).isEqualTo(50);
            Revoke ofAlice = find(seen, Revoke.class);
            assertThat(ofAlice.session()).isEqualTo(alice);
            assertThat(bench.ack(ALICE, alice, ofAlice)).containsExactly(new Cleared(2));
            assertThat(find(bench.on(new Visible(2)), OwnChange.class).held())
                    .singleElement()
                    .extracting(GrantorAction.Held::kept)
                    .isEqualTo(true);
            assertThat(seen(BOB, bob, 2)).containsExactly(new Finished(2));
        }

        @Test
        void doesNotKeepItsActorsRequestsWaiting() {
            assertThat(actorIsAnswered()).isTrue();
            without(Guard.ACTOR_DOES_NOT_WAIT_FOR_ITSELF);
            assertThat(actorIsAnswered()).isFalse();
        }

        /** Of what it holds, and of what it does not hold. */
        private boolean actorIsAnswered() {
            bench.grant(ALICE, alice, ONE);
            change(9, ALICE, alice, ONE, TWO);
            bench.on(new Visible(9));
            boolean granted = bench.on(new GrantorEvent.Acquire(50, ALICE.node(), alice, ONE)).stream()
                    .anyMatch(Granted.class::isInstance);
            boolean answered = !bench.on(new GrantorEvent.Acquire(51, ALICE.node(), alice, TWO))
                    .isEmpty();
            return granted && answered;
        }

        @Test
        void thatAFormerLifeMadeIsShownToNobodyBeforeItsLeasesHaveRunOut() {
            bench = new GrantorBench(EnumSet.allOf(Guard.class), 2, true);
            bob = bench.session(BOB, 2);
            assertThat(bench.on(new GrantorEvent.Hide(9, List.of(ONE)))).isEmpty();
            assertThat(bench.on(new GrantorEvent.Acquire(50, BOB.node(), bob, ONE)))
                    .isEmpty();
            assertThat(bench.grantor.isUnseen(ONE, bob)).isTrue();
            assertThat(bench.grantor.isUnseen(TWO, bob)).isFalse();
            bench.after(600);
            bench.renew(BOB, bob);
            List<GrantorAction> over = bench.after(500);
            assertThat(find(over, Granted.class).request()).isEqualTo(50);
            assertThat(over).contains(new Finished(9));
            assertThat(bench.grantor.isUnseen(ONE, bob)).isFalse();
        }

        @Test
        void doesNotMoveALeaseThatIsOnItsWayOut() {
            bench.grant(ALICE, alice, ONE);
            Revoke revoke = find(bench.on(new Change(1, List.of(ONE))), Revoke.class);
            bench.on(new Finish(1));
            assertThat(change(2, ALICE, alice, ONE)).containsExactly(new Cleared(2));
            OwnChange own = find(bench.on(new Visible(2)), OwnChange.class);
            // The Revoke may have been lost.
            assertThat(own.held()).containsExactly(new GrantorAction.Held(ONE, revoke.revokeSequence(), false));
            assertThat(bench.ack(ALICE, alice, revoke)).containsExactly(new Finished(2));
            assertThat(bench.grantor.leases()).isZero();
        }
    }

    @Nested
    @DisplayName("at its holder")
    class AtTheHolder {
        private static final long S = 11;
        private HolderBench bench = new HolderBench();

        private List<HolderAction> ownChange(long sequence, Version from, Version to) {
            return bench.on(new HolderEvent.OwnChange(S, 1, ONE, sequence, from, to));
        }

        private void granted(long sequence, Version version) {
            bench.on(new HolderEvent.Granted(S, 1, ONE, sequence, version));
        }

        private Optional<Lease> lease(long sequence) {
            return bench.holder.lease(ONE, S, 1, sequence);
        }

        private final Version before = new Version(1, 1);
        private final Version after = new Version(1, 2);

        @Test
        void movesTheLeaseToTheNewVersionWithoutDropping() {
            bench.inSession(S);
            granted(5, before);
            Lease old = lease(5).orElseThrow();
            assertThat(ownChange(7, before, after)).isEmpty();
            Lease now = lease(7).orElseThrow();
            assertThat(now.version()).isEqualTo(after);
            assertThat(now.valid(bench.now)).isTrue();
            assertThat(old.valid(bench.now)).isFalse();
            assertThat(ownChange(7, before, after)).isEmpty();
            assertThat(lease(7)).contains(now);
        }

        @Test
        void voidsGrantsFromBefore() {
            assertThat(lateGrantCounts(EnumSet.allOf(Guard.class))).isFalse();
            assertThat(lateGrantCounts(EnumSet.complementOf(EnumSet.of(Guard.GRANT_AFTER_OWN_CHANGE))))
                    .isTrue();
        }

        /** A grant from before that comes after the lease was given up. */
        private boolean lateGrantCounts(Set<Guard> guards) {
            bench = new HolderBench(guards).inSession(S);
            ownChange(7, before, after);
            granted(5, before);
            return lease(5).isPresent();
        }

        @Test
        void dropsALeaseOfAnotherVersionThanTheChangeBeganWith() {
            assertThat(survivesAnotherChange(EnumSet.allOf(Guard.class))).isFalse();
            assertThat(survivesAnotherChange(EnumSet.complementOf(EnumSet.of(Guard.OWN_CHANGE_FROM_VERSION))))
                    .isTrue();
        }

        private boolean survivesAnotherChange(Set<Guard> guards) {
            bench = new HolderBench(guards).inSession(S);
            granted(5, before);
            ownChange(7, after, new Version(1, 3));
            return bench.valid(ONE);
        }

        @Test
        void ofAnotherSessionOrOvertakenByARevokeChangesNothing() {
            bench.inSession(S);
            granted(5, before);
            bench.on(new HolderEvent.OwnChange(S + 1, 1, ONE, 7, before, after));
            bench.on(new HolderEvent.OwnChange(S, 2, ONE, 7, before, after));
            assertThat(lease(5).orElseThrow().version()).isEqualTo(before);
            bench.on(new HolderEvent.Revoked(S, 1, ONE, 8));
            assertThat(ownChange(7, before, after)).isEmpty();
            assertThat(bench.valid(ONE)).isFalse();
        }

        @Test
        void dropsTheLeaseWhenTooMuchIsForgottenToKnowWhetherItIsVoid() {
            bench.inSession(S);
            granted(5, before);
            for (int i = 10; i < 20; i++) {
                bench.on(new HolderEvent.Revoked(S, 1, new FileId(9, i), 90 + i));
            }
            assertThat(ownChange(7, before, after)).containsExactly(new HolderAction.Drop(ONE));
            assertThat(bench.valid(ONE)).isFalse();
        }

        @Test
        void isRevokedAsAnyLeaseAfterwards() {
            bench.inSession(S);
            granted(5, before);
            ownChange(7, before, after);
            assertThat(bench.on(new HolderEvent.Revoked(S, 1, ONE, 8))).containsExactly(new HolderAction.Drop(ONE));
            assertThat(bench.dropped(ONE)).containsExactly(new HolderAction.SendRevokeAck(S, ONE, 8));
        }
    }
}
