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
import spigot.coherence.Mutants;

/** Without any one of the guards the simulation fails: each is needed, and the simulation would find its loss. */
class MutationTest {
    private static final Logger log = LoggerFactory.getLogger(MutationTest.class);
    private static final int SEEDS = 3_000;

    /** Second locks behind guards that are found here; coherence's GuardTest shows each alone. */
    private static final Set<String> FOUND_BY_GUARD_TEST =
            Set.of("REVOKE_AGAIN", "OWN_SESSION", "GRANT_SESSION", "GRANT_EPOCH", "RENEWAL_EPOCH");

    /** Second locks of changes that clients ask for; coherence's OwnChangeTest shows each alone. */
    private static final Set<String> FOUND_BY_OWN_CHANGE_TEST = Set.of(
            "SEEN_BY_THE_ACTOR", "ACTOR_DOES_NOT_WAIT_FOR_ITSELF", "OWN_CHANGE_FROM_VERSION", "GRANT_AFTER_OWN_CHANGE");

    static Stream<String> guards() {
        return Mutants.guards().stream()
                .filter(guard -> !FOUND_BY_GUARD_TEST.contains(guard) && !FOUND_BY_OWN_CHANGE_TEST.contains(guard));
    }

    @ParameterizedTest
    @MethodSource("guards")
    void theLossOfAGuardIsFound(String guard) {
        Tally tally = new Tally();
        for (long seed = 1; seed <= SEEDS; seed++) {
            try {
                Simulation.run(seed, Mutants.without(guard), tally);
            } catch (SimulationFailure e) {
                log.info("event=mutation_found guard={} by=\"{}\"", guard, e.getMessage());
                return;
            }
        }
        fail("without %s nothing went wrong in %s", guard, tally);
    }

    @Test
    void everySecondLockIsAGuard() {
        assertThat(Mutants.guards()).containsAll(FOUND_BY_GUARD_TEST).containsAll(FOUND_BY_OWN_CHANGE_TEST);
    }
}
