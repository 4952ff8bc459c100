package spigot.replica.commit;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import java.util.EnumSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slf4j.LoggerFactory;

/**
 * Random programs on a disk that loses what is not synced. {@code -Dspigot.commit.seeds=N} runs more, {@code -Dspigot.commit.seed=S}
 * one again.
 */
@DisplayName("Commits on a disk that crashes")
class SimulationTest {
    private static final int STEPS = 220;
    private static final int SEEDS = Integer.getInteger("spigot.commit.seeds", 200);
    private static final int SEEDS_OF_A_MUTATION = 1_000;

    private final @Nullable Level level = logger().getLevel();

    private static Logger logger() {
        return (Logger) LoggerFactory.getLogger("spigot.replica.commit");
    }

    /** Each power cut is an error to the log. */
    @BeforeEach
    void silence() {
        logger().setLevel(Level.OFF);
    }

    @AfterEach
    void speak() {
        logger().setLevel(level);
    }

    @Test
    void loseNothingAndShowNothingWrong() {
        String one = System.getProperty("spigot.commit.seed");
        long first = one == null ? 1 : Long.parseLong(one);
        long last = one == null ? SEEDS : first;
        int folds = 0;
        for (long seed = first; seed <= last; seed++) {
            folds += run(seed, EnumSet.allOf(Guard.class));
        }
        System.out.println("commit simulation: seeds " + first + " to " + last + ", foldings " + folds);
        assertThat(folds).isGreaterThan(0);
    }

    private static int run(long seed, Set<Guard> guards) {
        try {
            CommitSimulation simulation = new CommitSimulation(seed, guards);
            simulation.run(STEPS);
            return simulation.folds;
        } catch (Exception | AssertionError e) {
            throw new AssertionError("-Dspigot.commit.seed=" + seed + ": " + e, e);
        }
    }

    @ParameterizedTest
    @EnumSource(
            names = {
                "SYNC_BEFORE_DURABLE",
                "DATA_CHECKSUM",
                "SYNC_AT_START",
                "CUT_TORN_END",
                "SYNC_BEFORE_NEXT_SEGMENT",
                "SYNC_NEW_SEGMENT",
                "SNAPSHOT_BEFORE_DELETE",
                "KEEP_WHAT_IS_NOT_FOLDED",
                "VISIBLE_WHEN_DURABLE",
                "REFUSE_OLDER_EPOCHS",
                "EPOCH_IS_DURABLE",
                "EXPECTED_VERSION",
                "ONCE",
                "ONCE_IN_FLIGHT",
                "CUT_BYTES_ARE_ZEROS",
                "UNKNOWN_IS_EVERYTHING",
                "SYNC_BEFORE_FOLDED",
                "DROP_AFTER_FOLDED",
                "DROP_ONLY_WHAT_WAS_FOLDED"
            })
    void areWrongWithoutAnyOfTheirGuards(Guard without) {
        EnumSet<Guard> guards = EnumSet.allOf(Guard.class);
        guards.remove(without);
        @Nullable AssertionError found = null;
        for (long seed = 1; found == null && seed <= SEEDS_OF_A_MUTATION; seed++) {
            try {
                run(seed, guards);
            } catch (AssertionError e) {
                found = e;
            }
        }
        assertThat(found).as("a seed that finds that %s is missing", without).isNotNull();
    }
}
