package spigot.coherence.token;

import static org.assertj.core.api.Assertions.assertThat;
import static spigot.coherence.token.TokenHomeBench.ALICE;
import static spigot.coherence.token.TokenHomeBench.BOB;
import static spigot.coherence.token.TokenHomeBench.CAROL;
import static spigot.coherence.token.TokenHomeBench.FILE;
import static spigot.coherence.token.TokenHomeBench.all;
import static spigot.coherence.token.TokenHomeBench.block;
import static spigot.coherence.token.TokenHomeBench.refused;

import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import spigot.coherence.token.TokenHolderAction.Drop;
import spigot.coherence.token.TokenHolderAction.SendHello;
import spigot.coherence.token.TokenHolderAction.SendRevokeAck;
import spigot.coherence.token.TokenHomeAction.Granted;
import spigot.coherence.token.TokenHomeAction.Reason;
import spigot.coherence.token.TokenHomeAction.Revoke;
import spigot.coherence.token.TokenHomeAction.SessionEnded;
import spigot.coherence.token.TokenHomeEvent.Reclaim;

/**
 * The guards whose loss the simulation does not notice, or not in its usual number of runs: what each does alone, and that it is
 * this guard that does it. All others are taken out one by one in the testbed's TokenMutationTest.
 */
class TokenGuardTest {
    private static final Range FOUR = new Range(0, 4 * Range.BLOCK);

    @ParameterizedTest
    @EnumSource(
            value = TokenGuard.class,
            names = {
                "FIRST_COME",
                "MINIMUM_HOLD",
                "SERIALISE",
                "OWN_SESSION",
                "MARGIN",
                "RECLAIM_ONCE",
                "RECLAIM_IS_USE",
                "WRITE_TOKEN",
                "WRITE_SEQUENCE",
                "WRITE_EPOCH",
                "GRANT_SESSION",
                "GRANT_EPOCH",
                "GRANT_AFTER_DROP",
                "REVOKE_AFTER_GRANT",
                "REVOKE_AGAIN",
                "NO_RENEWAL_WHILE_OVERDUE",
                "FLUSH_IN_ORDER"
            })
    void theGuardAloneDoesIt(TokenGuard guard) {
        Predicate<Set<TokenGuard>> good = scenario(guard);
        assertThat(good.test(EnumSet.allOf(TokenGuard.class))).isTrue();
        assertThat(good.test(EnumSet.complementOf(EnumSet.of(guard)))).isFalse();
    }

    private static Predicate<Set<TokenGuard>> scenario(TokenGuard guard) {
        return switch (guard) {
            case FIRST_COME -> TokenGuardTest::aReaderWaitsBehindAWriter;
            case MINIMUM_HOLD -> TokenGuardTest::aFreshTokenIsNotAskedBack;
            case SERIALISE -> TokenGuardTest::pingPongEnds;
            case OWN_SESSION -> TokenGuardTest::aStrangerIsRefused;
            case MARGIN -> TokenGuardTest::theHomeIsPatient;
            case RECLAIM_ONCE -> TokenGuardTest::whatNobodyHadIsNotReclaimed;
            case RECLAIM_IS_USE -> TokenGuardTest::aLateHelloEndsNoReclaimedSession;
            case WRITE_TOKEN -> guards -> writeIsRefused(guards, 1, 0, Reason.NO_TOKEN);
            case WRITE_SEQUENCE -> guards -> writeIsRefused(guards, 1, -1, Reason.NO_TOKEN);
            case WRITE_EPOCH -> guards -> writeIsRefused(guards, 2, 1, Reason.OTHER_EPOCH);
            case GRANT_SESSION -> guards -> notApplied(guards, 99, 1);
            case GRANT_EPOCH -> guards -> notApplied(guards, 11, 2);
            case GRANT_AFTER_DROP -> TokenGuardTest::nothingIsGrantedWhilePagesOfALostSessionAreThere;
            case REVOKE_AFTER_GRANT -> TokenGuardTest::aGrantIsUsedBeforeItIsGivenBack;
            case REVOKE_AGAIN -> TokenGuardTest::aRevokeIsRepeated;
            case NO_RENEWAL_WHILE_OVERDUE -> TokenGuardTest::nobodyHoldsOthersUpForEver;
            case FLUSH_IN_ORDER -> TokenGuardTest::anOlderFlushDoesNotOvertake;
            default -> throw new IllegalArgumentException("found by the simulation: " + guard);
        };
    }

    private static boolean anOlderFlushDoesNotOvertake(Set<TokenGuard> guards) {
        TokenHolderBench bench = new TokenHolderBench(guards).inSession(11);
        bench.hold(Mode.EXCLUSIVE, FOUR, 1);
        bench.dirty(block(0));
        bench.on(new TokenHolderEvent.FlushWanted(FILE, FOUR));
        bench.dirty(block(0));
        return TokenHolderBench.all(
                        bench.on(new TokenHolderEvent.FlushWanted(FILE, FOUR)), TokenHolderAction.Flush.class)
                .isEmpty();
    }

    private static boolean aReaderWaitsBehindAWriter(Set<TokenGuard> guards) {
        TokenHomeBench bench = new TokenHomeBench(guards, 1, Map.of());
        bench.granted(ALICE, bench.session(ALICE, 1), Mode.SHARED, block(0), block(0));
        bench.acquire(BOB, bench.session(BOB, 2), Mode.EXCLUSIVE, block(0));
        return all(bench.acquire(CAROL, bench.session(CAROL, 3), Mode.SHARED, block(0)), Granted.class)
                .isEmpty();
    }

    private static boolean aFreshTokenIsNotAskedBack(Set<TokenGuard> guards) {
        TokenHomeBench bench = new TokenHomeBench(guards, 1, Map.of());
        bench.granted(ALICE, bench.session(ALICE, 1), Mode.SHARED, block(0), block(0));
        return all(bench.acquire(BOB, bench.session(BOB, 2), Mode.EXCLUSIVE, block(0)), Revoke.class)
                .isEmpty();
    }

    private static boolean pingPongEnds(Set<TokenGuard> guards) {
        TokenHomeBench bench = new TokenHomeBench(guards, 1, Map.of());
        return TokenHomeTest.pingPong(bench, bench.session(ALICE, 1), bench.session(BOB, 2));
    }

    private static boolean aRevokeIsRepeated(Set<TokenGuard> guards) {
        TokenHomeBench bench = new TokenHomeBench(guards, 1, Map.of());
        bench.granted(ALICE, bench.session(ALICE, 1), Mode.SHARED, block(0), block(0));
        bench.after(10);
        bench.acquire(BOB, bench.session(BOB, 2), Mode.EXCLUSIVE, block(0));
        return !all(bench.after(50), Revoke.class).isEmpty();
    }

    private static boolean nobodyHoldsOthersUpForEver(Set<TokenGuard> guards) {
        TokenHomeBench bench = new TokenHomeBench(guards, 1, Map.of());
        long alice = bench.session(ALICE, 1);
        long bob = bench.session(BOB, 2);
        bench.granted(ALICE, alice, Mode.SHARED, block(0), block(0));
        bench.after(10);
        bench.acquire(BOB, bob, Mode.EXCLUSIVE, block(0));
        boolean granted = false;
        for (int i = 0; i < 25; i++) {
            granted |= !all(bench.after(100), Granted.class).isEmpty();
            bench.renew(BOB, bob);
            bench.renew(ALICE, alice);
        }
        return granted;
    }

    private static boolean aStrangerIsRefused(Set<TokenGuard> guards) {
        TokenHomeBench bench = new TokenHomeBench(guards, 1, Map.of());
        return refused(bench.acquire(BOB, bench.session(ALICE, 1), Mode.SHARED, block(0)), Reason.UNKNOWN_SESSION);
    }

    private static boolean theHomeIsPatient(Set<TokenGuard> guards) {
        TokenHomeBench bench = new TokenHomeBench(guards, 1, Map.of());
        bench.session(ALICE, 1);
        return all(bench.after(1_099), SessionEnded.class).isEmpty();
    }

    private static boolean whatNobodyHadIsNotReclaimed(Set<TokenGuard> guards) {
        TokenHomeBench bench = new TokenHomeBench(guards, 2, Map.of());
        return bench.hello(ALICE, 1, 77, new Reclaim(FILE, FOUR, Mode.EXCLUSIVE))
                        .reclaimSequence()
                == 0;
    }

    private static boolean aLateHelloEndsNoReclaimedSession(Set<TokenGuard> guards) {
        TokenHomeBench bench = new TokenHomeBench(guards, 2, Map.of(77L, ALICE));
        long session = bench.hello(ALICE, 5, 77, new Reclaim(FILE, FOUR, Mode.EXCLUSIVE))
                .session();
        bench.hello(ALICE, 4, 0);
        return bench.home.knows(ALICE.node(), session);
    }

    private static boolean writeIsRefused(Set<TokenGuard> guards, long epoch, long sequenceOffset, Reason reason) {
        TokenHomeBench bench = new TokenHomeBench(guards, 1, Map.of());
        long alice = bench.session(ALICE, 1);
        long sequence = sequenceOffset == 0
                ? 0
                : bench.granted(ALICE, alice, Mode.EXCLUSIVE, block(0), block(0))
                        .sequence();
        return refused(bench.write(ALICE, alice, epoch, block(0), 1, sequence + sequenceOffset, 1), reason);
    }

    private static boolean notApplied(Set<TokenGuard> guards, long session, long epoch) {
        TokenHolderBench bench = new TokenHolderBench(guards).inSession(11);
        bench.granted(bench.want(Mode.SHARED, FOUR), session, epoch, Mode.SHARED, FOUR, 5);
        return !bench.may(Mode.SHARED, 0);
    }

    private static boolean nothingIsGrantedWhilePagesOfALostSessionAreThere(Set<TokenGuard> guards) {
        TokenHolderBench bench = new TokenHolderBench(guards).inSession(11);
        bench.hold(Mode.SHARED, FOUR, 5);
        bench.after(900);
        // The home's deadline has passed too, and the pages are still not gone.
        SendHello hello = TokenHolderBench.find(bench.after(500), SendHello.class);
        bench.on(new TokenHolderEvent.Welcomed(hello.nonce(), 22, 1, 1_000, 0, bench.now));
        bench.granted(bench.want(Mode.SHARED, FOUR), 22, 1, Mode.SHARED, FOUR, 7);
        return !bench.may(Mode.SHARED, 0);
    }

    private static boolean aGrantIsUsedBeforeItIsGivenBack(Set<TokenGuard> guards) {
        TokenHolderBench bench = new TokenHolderBench(guards).inSession(11);
        long request = bench.want(Mode.SHARED, FOUR);
        List<TokenHolderAction> revoked = bench.revoked(FOUR, Mode.NONE, 6);
        return TokenHolderBench.all(revoked, SendRevokeAck.class).isEmpty()
                && !TokenHolderBench.all(bench.granted(request, 11, 1, Mode.SHARED, FOUR, 5), Drop.class)
                        .isEmpty();
    }
}
