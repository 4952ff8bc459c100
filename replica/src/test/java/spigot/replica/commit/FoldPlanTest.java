package spigot.replica.commit;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import spigot.model.FileId;
import spigot.replica.commit.FoldPlan.Candidate;
import spigot.replica.commit.FoldPlan.Decision;
import spigot.replica.commit.FoldPlan.Pressure;

@DisplayName("The plan of the folding")
class FoldPlanTest {
    private static final FileId OLD = new FileId(0, 1);
    private static final FileId NEW = new FileId(0, 2);
    private static final Pressure NONE = new Pressure(0, 0, false);

    private final FoldPlan plan = new FoldPlan(new CommitLimits(1_000, 10_000, 1_000, 100, 1_000, 10, 5_000, 2_000));

    private static Candidate dirty(FileId file, long since, int ranges) {
        return new Candidate(file, since, ranges, 0);
    }

    @Test
    void waitsUntilAFileIsOldEnough() {
        List<Candidate> all = List.of(dirty(OLD, 1_000, 1), dirty(NEW, 2_000, 1));
        assertThat(plan.decide(3_000, all, NONE)).isEqualTo(new Decision.Wait(3_000));
        assertThat(plan.decide(6_000, all, NONE)).isEqualTo(new Decision.Fold(OLD));
    }

    @Test
    void takesAFileWithManyRangesFirst() {
        List<Candidate> all = List.of(dirty(OLD, 1_000, 1), dirty(NEW, 2_000, 50));
        assertThat(plan.decide(3_000, all, NONE)).isEqualTo(new Decision.Fold(NEW));
    }

    @Test
    void doesNotWaitWhenTheBoundsAreNear() {
        List<Candidate> all = List.of(dirty(OLD, 1_000, 1), dirty(NEW, 2_000, 1));
        assertThat(plan.decide(1_000, all, new Pressure(5_000, 0, false))).isEqualTo(new Decision.Fold(OLD));
        assertThat(plan.decide(1_000, all, new Pressure(0, 500, false))).isEqualTo(new Decision.Fold(OLD));
    }

    @Test
    void leavesOneThatFailedAlone() {
        List<Candidate> all = List.of(new Candidate(OLD, 0, 90, 9_000), dirty(NEW, 2_000, 1));
        assertThat(plan.decide(7_000, all, NONE)).isEqualTo(new Decision.Fold(NEW));
        assertThat(plan.decide(6_500, all, NONE)).isEqualTo(new Decision.Wait(500));
    }
}
