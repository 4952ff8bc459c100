package spigot.coherence;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import spigot.coherence.HolderAction.Drop;
import spigot.coherence.HolderAction.SendHello;
import spigot.coherence.HolderAction.SendRelease;
import spigot.coherence.HolderAction.SendRenew;
import spigot.coherence.HolderAction.SendRevokeAck;
import spigot.coherence.HolderAction.SessionLost;
import spigot.coherence.HolderAction.SessionReady;
import spigot.coherence.HolderEvent.LinkDown;
import spigot.coherence.HolderEvent.LinkUp;
import spigot.coherence.HolderEvent.Renewed;
import spigot.coherence.HolderEvent.SessionUnknown;
import spigot.coherence.HolderEvent.Welcomed;
import spigot.model.FileId;
import spigot.model.Version;

class HolderTest {
    private static final long S = 11;
    private static final FileId ONE = new FileId(1, 1);
    private static final FileId TWO = new FileId(1, 2);
    private static final FileId THREE = new FileId(1, 3);
    private static final FileId FOUR = new FileId(1, 4);

    private final HolderBench bench = new HolderBench();

    @Test
    void aLinkBeginsASessionWhichIsUsedAtOnce() {
        assertThat(bench.on(new LinkUp())).containsExactly(new SendHello(1, 0));
        assertThat(bench.on(new Welcomed(1, S, 1, 1_000, bench.now)))
                .containsExactly(new SessionReady(S), new SendRenew(S));
        assertThat(bench.holder.session(bench.now)).hasValue(S);
    }

    @Test
    void anUnansweredHelloIsRepeatedWithTheSameNonce() {
        bench.on(new LinkUp());
        assertThat(bench.after(499)).isEmpty();
        assertThat(bench.after(1)).containsExactly(new SendHello(1, 0));
    }

    @Test
    void aWelcomeThatNobodyAwaitsOrThatComesTooLateBeginsNothing() {
        bench.on(new LinkUp());
        assertThat(bench.on(new Welcomed(99, S, 1, 1_000, bench.now))).isEmpty();
        assertThat(bench.on(new Welcomed(1, S, 1, 1_000, bench.now - 900))).isEmpty();
        assertThat(bench.on(new Welcomed(1, S, 1, Long.MAX_VALUE, bench.now))).isEmpty();
        assertThat(bench.on(new Welcomed(1, S, 1, 0, bench.now))).isEmpty();
        assertThat(bench.holder.session(bench.now)).isEmpty();
    }

    @Test
    void theLeaseCountsFromWhenTheHelloWasSentLessATenth() {
        bench.on(new LinkUp());
        bench.on(new Welcomed(1, S, 1, 1_000, bench.now - 200));
        bench.grant(S, 1, ONE, 5);
        bench.now += 699;
        assertThat(bench.valid(ONE)).isTrue();
        bench.now += 1;
        assertThat(bench.valid(ONE)).isFalse();
        assertThat(bench.holder.session(bench.now)).isEmpty();
    }

    @Test
    void aThirdOfTheLeaseLaterItIsRenewedAgainAndAgainUntilThatIsAnswered() {
        bench.inSession(S);
        assertThat(bench.after(299)).isEmpty();
        assertThat(bench.after(1)).containsExactly(new SendRenew(S));
        assertThat(bench.after(99)).isEmpty();
        assertThat(bench.after(1)).containsExactly(new SendRenew(S));
        bench.on(new Renewed(S, 1, 1_000, bench.now));
        assertThat(bench.after(299)).isEmpty();
    }

    @Test
    void aLeaseThatRanOutDropsAllAndTheNextSessionWaitsForThat() {
        bench.inSession(S);
        bench.grant(S, 1, ONE, 5);
        assertThat(bench.after(900)).containsExactly(new SessionLost(S), new Drop(ONE));
        assertThat(bench.after(50)).isEmpty();
        assertThat(bench.dropped(ONE)).containsExactly(new SendHello(2, 0));
    }

    @Test
    void cachesThatDoNotGoKeepTheNextSessionWaitingOnlyUntilTheFullLeaseIsOver() {
        bench.inSession(S);
        bench.grant(S, 1, ONE, 5);
        bench.after(900);
        assertThat(bench.after(99)).isEmpty();
        assertThat(bench.after(1)).containsExactly(new SendHello(2, 0));
    }

    @Test
    void leasesOutliveALostLinkAndTheSessionResumes() {
        bench.inSession(S);
        bench.grant(S, 1, ONE, 5);
        bench.on(new LinkDown());
        assertThat(bench.after(500)).isEmpty();
        assertThat(bench.valid(ONE)).isTrue();
        assertThat(bench.on(new LinkUp())).containsExactly(new SendRenew(S));
    }

    @Test
    void aGrantorThatDoesNotKnowTheSessionEndsIt() {
        bench.inSession(S);
        bench.grant(S, 1, ONE, 5);
        bench.now += 600;
        assertThat(bench.on(new SessionUnknown(99))).isEmpty();
        assertThat(bench.on(new SessionUnknown(S)))
                .containsExactly(new SessionLost(S), new Drop(ONE), new SendHello(2, 0));
        assertThat(bench.valid(ONE)).isFalse();
    }

    @Test
    void aRevokeIsAcknowledgedOnlyWhenTheCachesAreGone() {
        bench.inSession(S);
        bench.grant(S, 1, ONE, 5);
        assertThat(bench.revoke(S, ONE, 6)).containsExactly(new Drop(ONE));
        assertThat(bench.valid(ONE)).isFalse();
        assertThat(bench.revoke(S, ONE, 6)).as("repeated").isEmpty();
        assertThat(bench.dropped(ONE)).containsExactly(new SendRevokeAck(S, ONE, 6));
    }

    @Test
    void aRevokeOfWhatIsNotHeldIsAcknowledgedAtOnce() {
        bench.inSession(S);
        assertThat(bench.revoke(S, ONE, 6)).containsExactly(new SendRevokeAck(S, ONE, 6));
        assertThat(bench.revoke(77, ONE, 3)).as("another session").containsExactly(new SendRevokeAck(77, ONE, 3));
    }

    @Test
    void aGrantThatARevokeHasOvertakenIsNotApplied() {
        bench.inSession(S);
        bench.revoke(S, ONE, 6);
        bench.grant(S, 1, ONE, 5);
        assertThat(bench.valid(ONE)).isFalse();
        bench.grant(S, 1, ONE, 7);
        assertThat(bench.valid(ONE)).isTrue();
    }

    @Test
    void aLateCopyOfARevokeDoesNotTakeALaterGrant() {
        bench.inSession(S);
        bench.grant(S, 1, ONE, 7);
        assertThat(bench.revoke(S, ONE, 6)).containsExactly(new SendRevokeAck(S, ONE, 6));
        assertThat(bench.valid(ONE)).isTrue();
    }

    @Test
    void aLeaseThatEndedNeverBecomesValidAgainByALaterGrant() {
        bench.inSession(S);
        bench.grant(S, 1, ONE, 5);
        Lease old = bench.holder.lease(ONE, S, 1, 5).orElseThrow();
        bench.revoke(S, ONE, 6);
        bench.dropped(ONE);
        bench.grant(S, 1, ONE, 7);
        assertThat(bench.valid(ONE)).isTrue();
        assertThat(old.valid(bench.now)).isFalse();
        assertThat(bench.holder.lease(ONE, S, 1, 5))
                .as("a reply under the old grant")
                .isEmpty();
        assertThat(bench.holder.lease(ONE, S, 1, 7)).isPresent();
    }

    @Test
    void askingAgainKeepsTheSameLease() {
        bench.inSession(S);
        bench.grant(S, 1, ONE, 5);
        Lease lease = bench.holder.lease(ONE, S, 1, 5).orElseThrow();
        bench.grant(S, 1, ONE, 8);
        assertThat(bench.holder.lease(ONE, S, 1, 8)).containsSame(lease);
        assertThat(bench.on(new HolderEvent.GiveUp(ONE))).containsExactly(new SendRelease(S, ONE, 8));
    }

    @Test
    void whatWasGivenUpDoesNotComeBackWithACopyOfItsGrant() {
        bench.inSession(S);
        bench.grant(S, 1, ONE, 5);
        bench.on(new HolderEvent.GiveUp(ONE));
        bench.grant(S, 1, ONE, 5);
        assertThat(bench.valid(ONE)).isFalse();
    }

    @Test
    void nothingIsGrantedWhileTheCachesOfAnEarlierLeaseAreDroppedAndItIsGivenBackAfterwards() {
        bench.inSession(S);
        for (FileId object : List.of(ONE, TWO, THREE)) {
            bench.grant(S, 1, object, object.low());
        }
        assertThat(bench.grant(S, 1, FOUR, 4)).containsExactly(new Drop(ONE));
        assertThat(bench.grant(S, 1, ONE, 9)).isEmpty();
        assertThat(bench.valid(ONE)).isFalse();
        assertThat(bench.dropped(ONE)).containsExactly(new SendRelease(S, ONE, 9));
    }

    @Test
    void beyondItsLimitTheLeaseThatWasNotUsedGoes() {
        bench.inSession(S);
        for (FileId object : List.of(ONE, TWO, THREE)) {
            bench.grant(S, 1, object, object.low());
        }
        assertThat(bench.valid(ONE)).as("and so it is used").isTrue();
        assertThat(bench.grant(S, 1, FOUR, 4)).containsExactly(new Drop(TWO));
        assertThat(bench.dropped(TWO)).containsExactly(new SendRelease(S, TWO, 2));
        assertThat(bench.holder.leases()).isEqualTo(3);
    }

    @Test
    void voidGrantsThatAreNotRememberedOneByOneAreVoidAllTheSame() {
        bench.inSession(S);
        bench.revoke(S, ONE, 6);
        bench.revoke(S, TWO, 7);
        bench.revoke(S, THREE, 8);
        bench.grant(S, 1, ONE, 5);
        assertThat(bench.valid(ONE)).isFalse();
        bench.grant(S, 1, ONE, 9);
        assertThat(bench.valid(ONE)).isTrue();
    }

    @Test
    void aGrantorThatChangedTheVersionUnderALeaseIsNotBelieved() {
        bench.inSession(S);
        bench.grant(S, 1, ONE, 5);
        assertThat(bench.on(new HolderEvent.Granted(S, 1, ONE, 6, new Version(1, 2))))
                .containsExactly(new Drop(ONE));
        assertThat(bench.valid(ONE)).isFalse();
        assertThat(bench.dropped(ONE)).containsExactly(new SendRelease(S, ONE, 6));
    }

    @Test
    void droppingTwiceOrWhatWasNotAskedForChangesNothing() {
        bench.inSession(S);
        assertThat(bench.dropped(ONE)).isEmpty();
    }
}
