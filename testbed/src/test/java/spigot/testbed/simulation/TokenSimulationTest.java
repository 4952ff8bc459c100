package spigot.testbed.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Many runs of the token machines: {@code -Dspigot.simulation.seeds=N} runs N seeds, {@code -Dspigot.simulation.first=S} from S
 * on, {@code -Dspigot.simulation.seed=S} only that one.
 */
class TokenSimulationTest {
    private static final Logger log = LoggerFactory.getLogger(TokenSimulationTest.class);
    private static final int TRACED_LINES = 60;

    @Test
    void oneWritesOrManyReadNothingCommittedIsLostAndEverythingGoesOnInTheEnd() {
        Long only = Long.getLong("spigot.simulation.seed");
        long first = only != null ? only : Long.getLong("spigot.simulation.first", 1);
        long seeds = only != null ? 1 : Long.getLong("spigot.simulation.seeds", 2_000);
        TokenTally tally = new TokenTally();
        for (long seed = first; seed < first + seeds; seed++) {
            run(seed, tally);
        }
        log.info("event=simulated {}", tally);
        if (seeds >= 100) {
            assertThat(List.of(
                            tally.leasedReads,
                            tally.kernelReads,
                            tally.askedReads,
                            tally.grants,
                            tally.revokes,
                            tally.sessionsLost,
                            tally.lostMessages,
                            tally.doubledMessages,
                            tally.lateMessages,
                            tally.cuts,
                            tally.crashes,
                            tally.pauses,
                            tally.writes,
                            tally.stores,
                            tally.launders,
                            tally.commits,
                            tally.fsyncs,
                            tally.orphans,
                            tally.spared))
                    .as("what happened: %s", tally)
                    .allMatch(count -> count > seeds);
        }
    }

    private static void run(long seed, TokenTally tally) {
        try {
            TokenSimulation.run(seed, TokenMachines.PRODUCTION, tally);
        } catch (SimulationFailure e) {
            throw new AssertionError(
                    e.getMessage() + "\nreplay: mvn -pl testbed -am test -Dtest=TokenSimulationTest"
                            + " -Dsurefire.failIfNoSpecifiedTests=false -Dspigot.simulation.seed=" + seed
                            + "\nwhat led to it:\n" + whatLedTo(seed),
                    e);
        }
    }

    private static String whatLedTo(long seed) {
        ArrayDeque<String> lines = new ArrayDeque<>();
        try {
            TokenSimulation.run(seed, TokenMachines.PRODUCTION, new TokenTally(), Optional.of(line -> {
                lines.add(line);
                if (lines.size() > TRACED_LINES) {
                    lines.remove();
                }
            }));
        } catch (SimulationFailure _) {
            return String.join("\n", lines);
        }
        return "it does not happen again: the machines are not deterministic";
    }

    @Test
    void theSameSeedGivesTheSameRun() {
        assertThat(runAlone(4_711)).isEqualTo(runAlone(4_711)).isNotEqualTo(runAlone(4_712));
    }

    private static String runAlone(long seed) {
        TokenTally tally = new TokenTally();
        TokenSimulation.run(seed, TokenMachines.PRODUCTION, tally);
        return tally.toString();
    }
}
