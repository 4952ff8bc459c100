package spigot.testbed.simulation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.coherence.token.TokenMutants;

/** Without any one of the guards of tokens the simulation fails: each is needed, and the simulation would find its loss. */
class TokenMutationTest {
    private static final Logger log = LoggerFactory.getLogger(TokenMutationTest.class);
    private static final int SEEDS = 1_500;

    /**
     * Second locks behind guards that are found here, those that are for speed or fairness, and those whose loss shows too
     * rarely; coherence's TokenGuardTest shows each alone.
     */
    private static final Set<String> FOUND_BY_GUARD_TEST = Set.of(
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
            "FLUSH_IN_ORDER");

    static Stream<String> guards() {
        return TokenMutants.guards().stream().filter(guard -> !FOUND_BY_GUARD_TEST.contains(guard));
    }

    @ParameterizedTest
    @MethodSource("guards")
    void theLossOfAGuardIsFound(String guard) {
        TokenTally tally = new TokenTally();
        for (long seed = 1; seed <= SEEDS; seed++) {
            try {
                TokenSimulation.run(seed, TokenMutants.without(guard), tally);
            } catch (SimulationFailure e) {
                log.info("event=mutation_found guard={} by=\"{}\"", guard, e.getMessage());
                return;
            }
        }
        fail("without %s nothing went wrong in %s", guard, tally);
    }

    @Test
    void everySecondLockIsAGuard() {
        assertThat(TokenMutants.guards()).containsAll(FOUND_BY_GUARD_TEST);
    }
}
