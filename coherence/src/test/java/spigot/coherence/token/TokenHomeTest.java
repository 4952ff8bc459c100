package spigot.coherence.token;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static spigot.coherence.token.TokenHomeBench.ALICE;
import static spigot.coherence.token.TokenHomeBench.BOB;
import static spigot.coherence.token.TokenHomeBench.CAROL;
import static spigot.coherence.token.TokenHomeBench.FILE;
import static spigot.coherence.token.TokenHomeBench.FRAGMENT;
import static spigot.coherence.token.TokenHomeBench.OTHER;
import static spigot.coherence.token.TokenHomeBench.all;
import static spigot.coherence.token.TokenHomeBench.block;
import static spigot.coherence.token.TokenHomeBench.find;
import static spigot.coherence.token.TokenHomeBench.refused;

import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import spigot.coherence.ClientId;
import spigot.coherence.InvariantException;
import spigot.coherence.token.TokenHomeAction.Admit;
import spigot.coherence.token.TokenHomeAction.Committed;
import spigot.coherence.token.TokenHomeAction.Granted;
import spigot.coherence.token.TokenHomeAction.Reason;
import spigot.coherence.token.TokenHomeAction.Revoke;
import spigot.coherence.token.TokenHomeEvent.Reclaim;
import spigot.model.NodeId;
import spigot.model.Version;

class TokenHomeTest {
    private final TokenHomeBench bench = new TokenHomeBench();
    private final long alice = bench.session(ALICE, 1);
    private final long bob = bench.session(BOB, 2);

    @Test
    void whoIsAloneGetsTheWholeFileAtOnce() {
        Granted granted = bench.granted(ALICE, alice, Mode.EXCLUSIVE, block(3), Range.WHOLE);
        assertThat(granted.range()).isEqualTo(Range.WHOLE);
        assertThat(bench.home.segments(FILE)).isEqualTo(1);
    }

    @Test
    void manyReadAtTheSameTime() {
        bench.granted(ALICE, alice, Mode.SHARED, block(0), Range.WHOLE);
        assertThat(bench.granted(BOB, bob, Mode.SHARED, block(5), Range.WHOLE).range())
                .isEqualTo(Range.WHOLE);
    }

    @Test
    void aConflictTakesTheFragmentAndLeavesTheRest() {
        bench.granted(ALICE, alice, Mode.EXCLUSIVE, block(0), Range.WHOLE);
        bench.after(10);
        Revoke revoke = find(bench.acquire(BOB, bob, Mode.EXCLUSIVE, block(5), Range.WHOLE), Revoke.class);
        assertThat(revoke.range()).isEqualTo(new Range(FRAGMENT, 2 * FRAGMENT));
        assertThat(revoke.downTo()).isEqualTo(Mode.NONE);
        Granted granted = find(bench.ack(ALICE, revoke), Granted.class);
        assertThat(granted.range()).isEqualTo(new Range(FRAGMENT, 2 * FRAGMENT));
        assertThat(find(bench.write(ALICE, alice, block(0), 1, 99), Admit.class).range())
                .isEqualTo(block(0));
    }

    @Test
    void underContinuedConflictBlocksAreHandedOver() {
        bench.granted(ALICE, alice, Mode.EXCLUSIVE, block(0), Range.WHOLE);
        ClientId[] clients = {BOB, ALICE};
        long[] sessions = {bob, alice};
        for (int i = 0; i < 2; i++) {
            bench.after(10);
            Revoke revoke =
                    find(bench.acquire(clients[i], sessions[i], Mode.EXCLUSIVE, block(0), Range.WHOLE), Revoke.class);
            assertThat(revoke.range().length()).isEqualTo(FRAGMENT);
            bench.ack(clients[1 - i], revoke);
        }
        bench.after(10);
        assertThat(find(bench.acquire(BOB, bob, Mode.EXCLUSIVE, block(0), Range.WHOLE), Revoke.class)
                        .range())
                .isEqualTo(block(0));
    }

    @Test
    void aReaderLeavesTheWriterWithAShare() {
        bench.granted(ALICE, alice, Mode.EXCLUSIVE, block(0), Range.WHOLE);
        bench.after(10);
        Revoke revoke = find(bench.acquire(BOB, bob, Mode.SHARED, block(0)), Revoke.class);
        assertThat(revoke.downTo()).isEqualTo(Mode.SHARED);
        assertThat(bench.ack(ALICE, revoke)).singleElement().isInstanceOf(Granted.class);
        assertThat(refused(bench.write(ALICE, alice, block(0), 1, 99), Reason.NO_TOKEN))
                .isTrue();
    }

    @Test
    void aGrantDoesNotGrowOverWhatAnotherWaitsFor() {
        bench.granted(ALICE, alice, Mode.EXCLUSIVE, block(0), new Range(0, FRAGMENT));
        bench.after(10);
        Revoke revoke = find(bench.acquire(BOB, bob, Mode.EXCLUSIVE, block(0)), Revoke.class);
        Granted more = bench.granted(ALICE, alice, Mode.EXCLUSIVE, block(8), Range.WHOLE);
        assertThat(more.range()).isEqualTo(new Range(FRAGMENT, Range.LIMIT));
        assertThat(bench.ack(ALICE, revoke)).singleElement().isInstanceOf(Granted.class);
    }

    @Test
    void aTokenIsLeftToItsHolderForAWhile() {
        bench.granted(ALICE, alice, Mode.EXCLUSIVE, block(0), Range.WHOLE);
        assertThat(bench.acquire(BOB, bob, Mode.EXCLUSIVE, block(0))).isEmpty();
        assertThat(bench.after(9)).isEmpty();
        assertThat(bench.after(1)).singleElement().isInstanceOf(Revoke.class);
    }

    @Test
    void aWriterIsNotStarvedByReaders() {
        long carol = bench.session(CAROL, 3);
        bench.granted(ALICE, alice, Mode.SHARED, block(0), block(0));
        bench.after(10);
        Revoke revoke = find(bench.acquire(BOB, bob, Mode.EXCLUSIVE, block(0)), Revoke.class);
        assertThat(bench.acquire(CAROL, carol, Mode.SHARED, block(0))).isEmpty();
        assertThat(find(bench.ack(ALICE, revoke), Granted.class).session()).isEqualTo(bob);
    }

    @Test
    void aRevokeIsRepeatedUntilItIsAcknowledgedOrTheSessionEnds() {
        bench.granted(ALICE, alice, Mode.EXCLUSIVE, block(0), Range.WHOLE);
        bench.after(10);
        Revoke revoke = find(bench.acquire(BOB, bob, Mode.EXCLUSIVE, block(0)), Revoke.class);
        assertThat(bench.after(50)).containsExactly(revoke);
        for (int i = 0; i < 8; i++) {
            bench.after(100);
            bench.renew(BOB, bob);
        }
        assertThat(all(bench.after(240), Granted.class)).singleElement().matches(granted -> granted.session() == bob);
        assertThat(refused(bench.renew(ALICE, alice), Reason.UNKNOWN_SESSION)).isTrue();
    }

    @Test
    void whoRenewsButDoesNotAcknowledgeIsNotRenewedForEver() {
        bench.granted(ALICE, alice, Mode.EXCLUSIVE, block(0), Range.WHOLE);
        bench.after(10);
        bench.acquire(BOB, bob, Mode.EXCLUSIVE, block(0));
        boolean granted = false;
        for (int i = 0; i < 25 && !granted; i++) {
            granted = !all(bench.after(100), Granted.class).isEmpty();
            bench.renew(BOB, bob);
            bench.renew(ALICE, alice);
        }
        assertThat(granted).isTrue();
    }

    @Test
    void whatPingPongsIsServedByTheHomeUntilItIsQuiet() {
        assertThat(pingPong(bench, alice, bob)).isTrue();
        List<TokenHomeAction> read =
                bench.on(new TokenHomeEvent.SerialisedRead(bench.number(), ALICE.node(), alice, FILE, block(0)));
        long request = find(read, TokenHomeAction.Serve.class).request();
        List<TokenHomeAction> write =
                bench.on(new TokenHomeEvent.SerialisedWrite(bench.number(), BOB.node(), bob, 1, FILE, block(0), 1, 1));
        assertThat(all(write, Admit.class)).isEmpty();
        assertThat(bench.on(new TokenHomeEvent.Served(request)).toString()).contains("Admit");
        bench.after(401);
        assertThat(refused(bench.acquire(CAROL, bench.session(CAROL, 3), Mode.SHARED, block(1)), Reason.SERIALISED))
                .isFalse();
    }

    static boolean pingPong(TokenHomeBench bench, long alice, long bob) {
        bench.granted(ALICE, alice, Mode.EXCLUSIVE, block(0), block(0));
        ClientId[] clients = {BOB, ALICE};
        long[] sessions = {bob, alice};
        for (int i = 0; i < 20; i++) {
            bench.after(10);
            List<TokenHomeAction> actions = bench.acquire(clients[i % 2], sessions[i % 2], Mode.EXCLUSIVE, block(0));
            if (refused(actions, Reason.SERIALISED)) {
                // What was asked back for it is given back.
                ClientId holder = clients[(i + 1) % 2];
                all(actions, Revoke.class).forEach(revoke -> bench.ack(holder, revoke));
                return true;
            }
            bench.ack(clients[(i + 1) % 2], find(actions, Revoke.class));
        }
        return false;
    }

    @Test
    void nothingIsGrantedOfWhatIsBeingCommitted() {
        long sequence = bench.granted(ALICE, alice, Mode.EXCLUSIVE, block(0), Range.WHOLE)
                .sequence();
        List<TokenHomeAction> admitted = bench.write(ALICE, alice, block(0), 1, sequence);
        bench.on(new TokenHomeEvent.Bye(ALICE.node(), alice));
        assertThat(bench.acquire(BOB, bob, Mode.SHARED, block(0), Range.WHOLE)).isEmpty();
        List<TokenHomeAction> durable = bench.durable(admitted);
        assertThat(find(durable, Committed.class).version()).isEqualTo(new Version(1, 1));
        assertThat(find(durable, Granted.class).version()).isEqualTo(new Version(1, 1));
    }

    @Test
    void aWriteIsDoneOnceAndItsAnswerKeptUntilTheClientHasIt() {
        long sequence = bench.granted(ALICE, alice, Mode.EXCLUSIVE, block(0), Range.WHOLE)
                .sequence();
        List<TokenHomeAction> admitted = bench.write(ALICE, alice, block(0), 1, sequence);
        assertThat(refused(bench.write(ALICE, alice, block(0), 1, sequence), Reason.IN_PROGRESS))
                .isTrue();
        bench.durable(admitted);
        assertThat(bench.write(ALICE, alice, block(0), 1, sequence))
                .singleElement()
                .matches(action ->
                        action instanceof Committed done && done.version().equals(new Version(1, 1)));
        bench.durable(bench.write(ALICE, alice, 1, block(0), 2, sequence, 2));
        assertThat(refused(bench.write(ALICE, alice, block(0), 1, sequence), Reason.FORGOTTEN))
                .isTrue();
        assertThat(bench.home.version(FILE)).isEqualTo(new Version(1, 2));
    }

    @Test
    void aWriteThatIsNotDurableLeavesNoTraceAndMayComeAgain() {
        long sequence = bench.granted(ALICE, alice, Mode.EXCLUSIVE, block(0), Range.WHOLE)
                .sequence();
        long commit = find(bench.write(ALICE, alice, block(0), 1, sequence), Admit.class)
                .commit();
        assertThat(refused(bench.on(new TokenHomeEvent.NotDurable(commit)), Reason.NOT_DURABLE))
                .isTrue();
        assertThat(bench.home.version(FILE)).isEqualTo(Version.NONE);
        assertThat(bench.write(ALICE, alice, block(0), 1, sequence))
                .singleElement()
                .isInstanceOf(Admit.class);
    }

    @Test
    void aCutOfTheFileHasChangedWhatWasBehind() {
        long alice = bench.session(ALICE, 1);
        long sequence = bench.granted(ALICE, alice, Mode.EXCLUSIVE, Range.ATTRIBUTES, Range.ATTRIBUTES)
                .sequence();
        bench.durable(bench.write(ALICE, alice, Range.ATTRIBUTES, 1, sequence));
        Version before = bench.home.version(FILE);
        long commit = find(bench.write(ALICE, alice, Range.ATTRIBUTES, 2, sequence), Admit.class)
                .commit();
        bench.on(new TokenHomeEvent.Durable(commit, before.next(), new Range(block(5).from(), Range.LIMIT)));
        Changes changes = bench.home.changesSince(FILE, before);
        assertThat(changes.spare(block(4))).isTrue();
        assertThat(changes.spare(block(5))).isFalse();
        assertThat(changes.spare(block(500))).isFalse();
        assertThat(changes.spare(Range.ATTRIBUTES)).isFalse();
        assertThat(bench.home.changesSince(FILE, before.next()).spare(block(5))).isTrue();
    }

    @Test
    void theHomeKnowsWhatHasChangedSinceAnOlderVersion() {
        long sequence = bench.granted(ALICE, alice, Mode.EXCLUSIVE, block(0), Range.WHOLE)
                .sequence();
        for (int i = 1; i <= 4; i++) {
            bench.durable(bench.write(ALICE, alice, 1, block(i), i, sequence, i));
        }
        Changes changes = bench.home.changesSince(FILE, new Version(1, 2));
        assertThat(changes.spare(block(1))).isTrue();
        assertThat(changes.spare(block(3))).isFalse();
        assertThat(changes.ranges()).containsExactly(new Range(3 * Range.BLOCK, 5 * Range.BLOCK));
        assertThat(bench.home.changesSince(FILE, new Version(1, 1)).all()).isFalse();
        assertThat(bench.home.changesSince(FILE, Version.NONE).all()).isTrue();
        assertThat(bench.home.changesSince(FILE, new Version(1, 4)).ranges()).isEmpty();
    }

    @Test
    void afterARestartNothingIsGrantedUntilEverySessionOfTheFormerLifeHasSaidHello() {
        TokenHomeBench again = new TokenHomeBench(EnumSet.allOf(TokenGuard.class), 2, Map.of(alice, ALICE, bob, BOB));
        TokenHomeAction.Welcome welcome = again.hello(ALICE, 11, alice, new Reclaim(FILE, Range.WHOLE, Mode.EXCLUSIVE));
        assertThat(welcome.reclaimSequence()).isPositive();
        assertThat(again.write(ALICE, welcome.session(), block(0), 1, welcome.reclaimSequence()))
                .singleElement()
                .isInstanceOf(Admit.class);
        long carol = again.session(CAROL, 13);
        assertThat(again.on(new TokenHomeEvent.Acquire(
                        again.number(), CAROL.node(), carol, OTHER, Mode.SHARED, block(0), block(0))))
                .isEmpty();
        List<TokenHomeAction> nothing = again.on(new TokenHomeEvent.Hello(again.number(), BOB, 12, bob, List.of()));
        assertThat(find(nothing, Granted.class).file()).isEqualTo(OTHER);
        assertThat(again.home.grace()).isFalse();
    }

    @Test
    void theGraceEndsWithTheFullTermForThoseWhoDoNotCome() {
        TokenHomeBench again = new TokenHomeBench(EnumSet.allOf(TokenGuard.class), 2, Map.of(alice, ALICE));
        long session = again.session(BOB, 12);
        again.acquire(BOB, session, Mode.SHARED, block(0));
        again.after(900);
        again.renew(BOB, session);
        assertThat(all(again.after(199), Granted.class)).isEmpty();
        assertThat(all(again.after(1), Granted.class)).hasSize(1);
    }

    @Test
    void aFormerSessionIsReclaimedOnceAndOnlyByItsClient() {
        TokenHomeBench again = new TokenHomeBench(EnumSet.allOf(TokenGuard.class), 2, Map.of(alice, ALICE));
        Reclaim all = new Reclaim(FILE, Range.WHOLE, Mode.EXCLUSIVE);
        assertThat(again.hello(BOB, 12, alice, all).reclaimSequence()).isZero();
        assertThat(again.home.grace()).isTrue();
        assertThat(again.hello(ALICE, 11, alice, all).reclaimSequence()).isPositive();
        assertThat(again.hello(ALICE, 14, alice, all).reclaimSequence()).isZero();
    }

    @Test
    void withoutSessionsInTheFormerLifeThereIsNoGrace() {
        TokenHomeBench again = new TokenHomeBench(EnumSet.allOf(TokenGuard.class), 2, Map.of());
        long session = again.session(ALICE, 1);
        assertThat(again.acquire(ALICE, session, Mode.EXCLUSIVE, block(0)))
                .singleElement()
                .isInstanceOf(Granted.class);
    }

    @Test
    void sizeAndTimesAreAskedOfWhoChangesThemWithoutTakingTheToken() {
        bench.granted(ALICE, alice, Mode.EXCLUSIVE, Range.ATTRIBUTES, Range.ATTRIBUTES);
        TokenHomeAction.AskGlimpse ask = find(
                bench.on(new TokenHomeEvent.Glimpse(bench.number(), BOB.node(), bob, FILE)),
                TokenHomeAction.AskGlimpse.class);
        assertThat(ask.session()).isEqualTo(alice);
        TokenHomeEvent.Glimpsed known = new TokenHomeEvent.Glimpsed(77, 1, 2);
        assertThat(bench.on(new TokenHomeEvent.GlimpseReply(ALICE.node(), alice, ask.request(), known)))
                .containsExactly(new TokenHomeAction.Glimpse(ask.request(), FILE, known));
    }

    @Test
    void aGlimpseThatItsHolderCannotAnswerTakesTheTokenBack() {
        bench.granted(ALICE, alice, Mode.EXCLUSIVE, Range.ATTRIBUTES, Range.ATTRIBUTES);
        bench.after(10);
        long request = bench.number();
        bench.on(new TokenHomeEvent.Glimpse(request, BOB.node(), bob, FILE));
        Revoke revoke =
                find(bench.on(new TokenHomeEvent.GlimpseReply(ALICE.node(), alice, request, null)), Revoke.class);
        assertThat(bench.ack(ALICE, revoke)).containsExactly(new TokenHomeAction.Glimpse(request, FILE, null));
    }

    @Test
    void attributesAndDataAreHeldApart() {
        bench.granted(ALICE, alice, Mode.EXCLUSIVE, block(0), Range.WHOLE);
        assertThat(bench.acquire(BOB, bob, Mode.EXCLUSIVE, Range.ATTRIBUTES))
                .singleElement()
                .isInstanceOf(Granted.class);
    }

    @Test
    void whoHasWithdrawnGetsNothingAndHoldsNobodyUp() {
        long carol = bench.session(CAROL, 3);
        bench.granted(ALICE, alice, Mode.SHARED, block(0), block(0));
        bench.on(new TokenHomeEvent.Acquire(900, BOB.node(), bob, FILE, Mode.EXCLUSIVE, block(0), block(0)));
        bench.acquire(CAROL, carol, Mode.SHARED, block(0));
        assertThat(bench.on(new TokenHomeEvent.Withdraw(900)))
                .singleElement()
                .matches(action -> action instanceof Granted granted && granted.session() == carol);
        assertThat(bench.home.waiting()).isZero();
    }

    @Test
    void everythingOfASessionDiesWithIt() {
        bench.granted(ALICE, alice, Mode.EXCLUSIVE, block(0), Range.WHOLE);
        bench.acquire(BOB, bob, Mode.EXCLUSIVE, block(0));
        List<TokenHomeAction> ended = bench.on(new TokenHomeEvent.Bye(ALICE.node(), alice));
        assertThat(find(ended, Granted.class).session()).isEqualTo(bob);
        bench.on(new TokenHomeEvent.Bye(BOB.node(), bob));
        assertThat(bench.home.segments(FILE)).isZero();
        assertThat(bench.home.revocations()).isZero();
    }

    @Test
    void aReleaseOfAnEarlierGrantDoesNotTakeTheLaterOne() {
        long first =
                bench.granted(ALICE, alice, Mode.SHARED, block(0), block(0)).sequence();
        long second =
                bench.granted(ALICE, alice, Mode.SHARED, block(0), block(0)).sequence();
        bench.on(new TokenHomeEvent.Release(ALICE.node(), alice, FILE, block(0), first));
        assertThat(bench.home.segments(FILE)).isEqualTo(1);
        bench.on(new TokenHomeEvent.Release(ALICE.node(), alice, FILE, block(0), second));
        assertThat(bench.home.segments(FILE)).isZero();
    }

    @Test
    void everyBoundIsKeptAndRefusedByName() {
        for (int i = 0; i < 6; i++) {
            bench.granted(ALICE, alice, Mode.SHARED, block(2 * i), block(2 * i));
        }
        List<TokenHomeAction> beyond = bench.acquire(ALICE, alice, Mode.SHARED, block(20));
        assertThat(refused(beyond, Reason.TOO_MANY_TOKENS)).isTrue();
        assertThat(find(beyond, Revoke.class).range()).isEqualTo(block(0));

        bench.session(CAROL, 3);
        bench.session(new ClientId(new NodeId(0, 4), 0), 4);
        assertThat(refused(
                        bench.on(new TokenHomeEvent.Hello(900, new ClientId(new NodeId(0, 5), 0), 5, 0, List.of())),
                        Reason.TOO_MANY_SESSIONS))
                .isTrue();

        for (int i = 0; i < 4; i++) {
            bench.acquire(BOB, bob, Mode.EXCLUSIVE, block(4));
        }
        assertThat(refused(bench.acquire(BOB, bob, Mode.EXCLUSIVE, block(4)), Reason.TOO_MANY_WAITING))
                .isTrue();
    }

    @Test
    void aFileThatIsInTooManyPiecesIsNotCutAnyMore() {
        bench.granted(ALICE, alice, Mode.EXCLUSIVE, block(0), Range.WHOLE);
        for (int i = 1; i < 12; i++) {
            bench.after(10);
            List<TokenHomeAction> asked = bench.acquire(BOB, bob, Mode.SHARED, block(8L * i));
            all(asked, Revoke.class).forEach(revoke -> bench.ack(ALICE, revoke));
        }
        assertThat(bench.home.segments(FILE)).isLessThanOrEqualTo(TokenHomeBench.CONFIG.maxSegmentsPerFile() + 2);
        assertThat(bench.home.waiting()).isZero();
    }

    @Test
    void timeThatGoesBackIsADefect() {
        bench.now--;
        assertThatThrownBy(() -> bench.after(0)).isInstanceOf(InvariantException.class);
    }
}
