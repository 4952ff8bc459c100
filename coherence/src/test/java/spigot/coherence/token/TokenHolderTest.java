package spigot.coherence.token;

import static org.assertj.core.api.Assertions.assertThat;
import static spigot.coherence.token.TokenHolderBench.FILE;
import static spigot.coherence.token.TokenHolderBench.all;
import static spigot.coherence.token.TokenHolderBench.find;

import java.util.List;
import org.junit.jupiter.api.Test;
import spigot.coherence.token.TokenHolderAction.Answered;
import spigot.coherence.token.TokenHolderAction.Drop;
import spigot.coherence.token.TokenHolderAction.Flush;
import spigot.coherence.token.TokenHolderAction.Orphaned;
import spigot.coherence.token.TokenHolderAction.SendHello;
import spigot.coherence.token.TokenHolderAction.SendRelease;
import spigot.coherence.token.TokenHolderAction.SendRevokeAck;
import spigot.coherence.token.TokenHolderAction.SessionLost;
import spigot.coherence.token.TokenHolderAction.SessionReady;
import spigot.model.Version;

class TokenHolderTest {
    private static final Range FOUR = new Range(0, 4 * Range.BLOCK);

    private final TokenHolderBench bench = new TokenHolderBench().inSession(11);

    @Test
    void whatIsGrantedMayBeReadAndWrittenForNineTenthsOfTheLease() {
        bench.hold(Mode.EXCLUSIVE, FOUR, 5);
        assertThat(bench.may(Mode.SHARED, 3)).isTrue();
        assertThat(bench.may(Mode.EXCLUSIVE, 3)).isTrue();
        assertThat(bench.may(Mode.SHARED, 4)).isFalse();
        bench.now += 899;
        assertThat(bench.may(Mode.EXCLUSIVE, 0)).isTrue();
        bench.now++;
        assertThat(bench.may(Mode.EXCLUSIVE, 0)).isFalse();
    }

    @Test
    void aReaderMayNotWrite() {
        bench.hold(Mode.SHARED, FOUR, 5);
        assertThat(bench.may(Mode.SHARED, 0)).isTrue();
        assertThat(bench.may(Mode.EXCLUSIVE, 0)).isFalse();
    }

    @Test
    void aGrantIsAppliedOnce() {
        long request = bench.want(Mode.SHARED, FOUR);
        bench.granted(request, 11, 1, Mode.SHARED, FOUR, 5);
        bench.dropped(bench.revoked(FOUR, Mode.NONE, 6));
        bench.granted(request, 11, 1, Mode.SHARED, FOUR, 5);
        assertThat(bench.may(Mode.SHARED, 0)).isFalse();
    }

    @Test
    void aRevokeIsAcknowledgedAfterThePagesAreGoneAndWhatIsDirtyIsCommitted() {
        bench.hold(Mode.EXCLUSIVE, FOUR, 5);
        bench.dirty(Range.block(1));
        List<TokenHolderAction> revoked = bench.revoked(FOUR, Mode.NONE, 6);
        assertThat(revoked).singleElement().isInstanceOf(Drop.class);
        assertThat(bench.may(Mode.SHARED, 0)).as("served while it is dropped").isTrue();
        // That was in service meanwhile: a page may have come back.
        List<TokenHolderAction> again = bench.dropped(revoked);
        assertThat(again).singleElement().isInstanceOf(Drop.class);
        Flush flush = find(bench.dropped(again), Flush.class);
        assertThat(flush.range()).isEqualTo(Range.block(1));
        assertThat(bench.may(Mode.SHARED, 0)).isFalse();
        assertThat(bench.on(new TokenHolderEvent.Flushed(11, flush.operation(), new Version(1, 2))))
                .containsExactly(new SendRevokeAck(11, 6));
    }

    @Test
    void whatIsInServiceIsWaitedFor() {
        bench.hold(Mode.SHARED, FOUR, 5);
        Token token = bench.token(0);
        assertThat(token.enter(Mode.SHARED, bench.now)).isTrue();
        List<TokenHolderAction> revoked = bench.revoked(Range.block(0), Mode.NONE, 6);
        assertThat(bench.dropped(revoked)).isEmpty();
        assertThat(token.exit()).isTrue();
        List<TokenHolderAction> again = bench.on(new TokenHolderEvent.Idle(FILE));
        assertThat(bench.dropped(again)).containsExactly(new SendRevokeAck(11, 6));
        assertThat(bench.may(Mode.SHARED, 1)).as("the rest stays").isTrue();
    }

    @Test
    void aWriterThatIsAskedToShareKeepsAShare() {
        bench.hold(Mode.EXCLUSIVE, FOUR, 5);
        bench.dropped(bench.revoked(FOUR, Mode.SHARED, 6));
        assertThat(bench.may(Mode.SHARED, 0)).isTrue();
        assertThat(bench.may(Mode.EXCLUSIVE, 0)).isFalse();
    }

    @Test
    void aRevokeOfWhatIsNotHeldIsAcknowledgedAtOnce() {
        assertThat(bench.revoked(FOUR, Mode.NONE, 6)).containsExactly(new SendRevokeAck(11, 6));
    }

    @Test
    void aRevokeOfAnEarlierGrantDoesNotTakeALaterOne() {
        bench.hold(Mode.SHARED, FOUR, 9);
        assertThat(bench.revoked(FOUR, Mode.NONE, 6)).containsExactly(new SendRevokeAck(11, 6));
        assertThat(bench.may(Mode.SHARED, 0)).isTrue();
    }

    @Test
    void aRevokeThatOvertakesItsGrantWaitsForIt() {
        long request = bench.want(Mode.SHARED, FOUR);
        assertThat(bench.revoked(FOUR, Mode.NONE, 6)).isEmpty();
        List<TokenHolderAction> granted = bench.granted(request, 11, 1, Mode.SHARED, FOUR, 5);
        assertThat(granted).first().isEqualTo(new Answered(request, true));
        assertThat(bench.dropped(granted)).containsExactly(new SendRevokeAck(11, 6));
    }

    @Test
    void aRevokeDoesNotWaitForAGrantForEverAndThenVoidsIt() {
        long request = bench.want(Mode.SHARED, FOUR);
        bench.revoked(Range.block(1), Mode.NONE, 6);
        assertThat(bench.after(60)).contains(new SendRevokeAck(11, 6));
        bench.granted(request, 11, 1, Mode.SHARED, FOUR, 5);
        assertThat(bench.may(Mode.SHARED, 0)).isTrue();
        assertThat(bench.may(Mode.SHARED, 1)).isFalse();
    }

    @Test
    void whatIsWrittenAgainWhileItIsFlushedIsFlushedAgain() {
        bench.hold(Mode.EXCLUSIVE, FOUR, 5);
        bench.dirty(Range.block(0));
        Flush first = find(bench.on(new TokenHolderEvent.FlushWanted(FILE, Range.WHOLE)), Flush.class);
        bench.dirty(Range.block(0));
        assertThat(all(bench.on(new TokenHolderEvent.FlushWanted(FILE, Range.WHOLE)), Flush.class))
                .as("one after the other")
                .isEmpty();
        List<TokenHolderAction> then = bench.on(new TokenHolderEvent.Flushed(11, first.operation(), new Version(1, 2)));
        Flush second = find(then, Flush.class);
        assertThat(second.operation()).isGreaterThan(first.operation());
        assertThat(second.unacknowledged()).isEqualTo(second.operation());
        bench.on(new TokenHolderEvent.Flushed(11, second.operation(), new Version(1, 3)));
        assertThat(bench.holder.unclean(FILE, Range.WHOLE)).isFalse();
    }

    @Test
    void aFlushWithoutAnswerIsSentAgainUnderTheSameNumber() {
        bench.hold(Mode.EXCLUSIVE, FOUR, 5);
        bench.dirty(Range.block(0));
        Flush first = find(bench.on(new TokenHolderEvent.FlushWanted(FILE, Range.WHOLE)), Flush.class);
        bench.on(new TokenHolderEvent.NotFlushed(11, first.operation()));
        assertThat(all(bench.after(20), Flush.class)).containsExactly(first);
    }

    @Test
    void flushesAreBoundedInSizeAndNumber() {
        Range all = new Range(0, 8 * Range.BLOCK);
        bench.hold(Mode.EXCLUSIVE, all, 5);
        bench.dirty(all);
        List<Flush> flushes = all(bench.on(new TokenHolderEvent.FlushWanted(FILE, Range.WHOLE)), Flush.class);
        assertThat(flushes).hasSize(2).allMatch(flush -> flush.range().length() == 2 * Range.BLOCK);
        assertThat(all(
                        bench.on(new TokenHolderEvent.Flushed(
                                11, flushes.getFirst().operation(), new Version(1, 2))),
                        Flush.class))
                .hasSize(1);
    }

    @Test
    void aLeaseThatRunsOutInvalidatesAllAndReportsWhatWasDirty() {
        bench.hold(Mode.EXCLUSIVE, FOUR, 5);
        bench.dirty(Range.block(2));
        List<TokenHolderAction> lost = bench.after(900);
        assertThat(lost).contains(new SessionLost(11), new Orphaned(FILE, Range.block(2), new Version(1, 1)));
        assertThat(bench.may(Mode.SHARED, 0)).isFalse();
        assertThat(all(lost, SendHello.class))
                .as("not before the pages are gone")
                .isEmpty();
        assertThat(find(bench.dropped(lost), SendHello.class).reclaims()).isEmpty();
    }

    @Test
    void whatIsWrittenTooLateIsReportedToo() {
        bench.hold(Mode.EXCLUSIVE, FOUR, 5);
        assertThat(bench.token(0).enter(Mode.EXCLUSIVE, bench.now)).isTrue();
        bench.now += 900;
        assertThat(all(bench.on(new TokenHolderEvent.Dirtied(FILE, Range.block(0))), Orphaned.class))
                .containsExactly(new Orphaned(FILE, Range.block(0), new Version(1, 1)));
    }

    @Test
    void theTokensAreBroughtOverToTheHomesNewLife() {
        bench.hold(Mode.EXCLUSIVE, FOUR, 5);
        bench.dirty(Range.block(0));
        find(bench.on(new TokenHolderEvent.FlushWanted(FILE, Range.WHOLE)), Flush.class);
        SendHello hello = find(bench.on(new TokenHolderEvent.SessionUnknown(11, 2)), SendHello.class);
        assertThat(hello.former()).isEqualTo(11);
        assertThat(hello.reclaims()).containsExactly(new TokenHomeEvent.Reclaim(FILE, FOUR, Mode.EXCLUSIVE));
        assertThat(bench.may(Mode.EXCLUSIVE, 0)).as("meanwhile").isTrue();
        List<TokenHolderAction> ready =
                bench.on(new TokenHolderEvent.Welcomed(hello.nonce(), 22, 2, 1_000, 3, bench.now));
        assertThat(ready).contains(new SessionReady(22, true));
        assertThat(bench.may(Mode.EXCLUSIVE, 0)).isTrue();
        Flush flush = find(ready, Flush.class);
        assertThat(flush.session()).isEqualTo(22);
        assertThat(flush.epoch()).isEqualTo(2);
        assertThat(flush.tokenSequence()).isEqualTo(3);
    }

    @Test
    void whatWasBeingGivenBackToTheFormerLifeIsDroppedAgainForTheNewOne() {
        bench.hold(Mode.EXCLUSIVE, FOUR, 5);
        bench.dirty(Range.block(0));
        bench.dropped(bench.revoked(FOUR, Mode.NONE, 6));
        SendHello hello = find(bench.on(new TokenHolderEvent.SessionUnknown(11, 2)), SendHello.class);
        List<TokenHolderAction> ready =
                bench.on(new TokenHolderEvent.Welcomed(hello.nonce(), 22, 2, 1_000, 3, bench.now));
        Flush flush = find(ready, Flush.class);
        assertThat(bench.on(new TokenHolderEvent.Flushed(22, flush.operation(), new Version(2, 2))))
                .isEmpty();
        assertThat(bench.dropped(ready)).containsExactly(new SendRelease(22, FILE, FOUR, 3));
    }

    @Test
    void aRevokeOfWhatIsNotHeldDoesNotWaitForWhatIsDirtyUnderALaterGrant() {
        bench.hold(Mode.EXCLUSIVE, FOUR, 9);
        bench.dirty(Range.block(0));
        assertThat(bench.revoked(FOUR, Mode.NONE, 6)).containsExactly(new SendRevokeAck(11, 6));
        assertThat(bench.may(Mode.EXCLUSIVE, 0)).isTrue();
    }

    @Test
    void aPageThatCameBackIsNotForgottenWhenItsTokenIsCut() {
        bench.hold(Mode.SHARED, FOUR, 5);
        List<TokenHolderAction> revoked = bench.revoked(FOUR, Mode.NONE, 6);
        assertThat(bench.may(Mode.SHARED, 3)).isTrue();
        bench.on(new TokenHolderEvent.GiveUp(FILE, Range.block(0)));
        assertThat(bench.dropped(revoked))
                .as("not acknowledged")
                .singleElement()
                .isInstanceOf(Drop.class);
    }

    @Test
    void aHomeThatDoesNotTakeTheTokensOverEndsThem() {
        bench.hold(Mode.SHARED, FOUR, 5);
        SendHello hello = find(bench.on(new TokenHolderEvent.SessionUnknown(11, 2)), SendHello.class);
        assertThat(bench.on(new TokenHolderEvent.Welcomed(hello.nonce(), 22, 2, 1_000, 0, bench.now)))
                .contains(new SessionLost(11));
        assertThat(bench.may(Mode.SHARED, 0)).isFalse();
    }

    @Test
    void aSessionThatTheHomeHasEndedIsLost() {
        bench.hold(Mode.SHARED, FOUR, 5);
        assertThat(bench.on(new TokenHolderEvent.SessionUnknown(11, 1))).contains(new SessionLost(11));
    }

    @Test
    void whatIsGivenUpIsDroppedAndReleased() {
        bench.hold(Mode.SHARED, FOUR, 5);
        List<TokenHolderAction> given = bench.on(new TokenHolderEvent.GiveUp(FILE, Range.block(1)));
        assertThat(bench.dropped(given)).containsExactly(new SendRelease(11, FILE, Range.block(1), 5));
        assertThat(bench.may(Mode.SHARED, 2)).isTrue();
    }

    @Test
    void beyondItsBoundAFileIsGivenUp() {
        bench.hold(Mode.SHARED, Range.block(0), 1);
        bench.hold(Mode.SHARED, Range.block(2), 2);
        bench.hold(Mode.SHARED, Range.block(4), 3);
        bench.hold(Mode.SHARED, Range.block(6), 4);
        long request = bench.want(Mode.SHARED, Range.block(8));
        List<TokenHolderAction> granted = bench.granted(request, 11, 1, Mode.SHARED, Range.block(8), 5);
        assertThat(all(granted, Drop.class)).hasSize(1);
        bench.dropped(granted);
        assertThat(bench.holder.tokens()).isZero();
    }

    @Test
    void aReadUnderAnUpgradedTokenGoesOn() {
        bench.hold(Mode.SHARED, FOUR, 5);
        Version since = bench.token(0).since();
        Token shared = bench.token(0);
        assertThat(shared.enter(Mode.SHARED, bench.now)).isTrue();
        bench.granted(bench.want(Mode.EXCLUSIVE, FOUR), 11, 1, Mode.EXCLUSIVE, FOUR, 8);
        assertThat(bench.may(Mode.EXCLUSIVE, 0)).isTrue();
        assertThat(bench.token(0).since()).as("held all the time").isEqualTo(since);
        shared.exit();
    }

    @Test
    void serialisedWritesAreCountedApartAndUncertainWhenTheSessionIsLost() {
        List<TokenHolderAction> sent = bench.on(new TokenHolderEvent.WriteSerialised(70, FILE, Range.block(0)));
        assertThat(find(sent, TokenHolderAction.SendSerialisedWrite.class).operation())
                .isEqualTo(1);
        bench.hold(Mode.EXCLUSIVE, FOUR, 5);
        bench.dirty(Range.block(1));
        assertThat(find(bench.on(new TokenHolderEvent.FlushWanted(FILE, Range.WHOLE)), Flush.class)
                        .operation())
                .isEqualTo(1);
        assertThat(bench.after(900)).contains(new Answered(70, false));
    }
}
