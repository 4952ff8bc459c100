package spigot.transport.tls;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class LogBudgetTest {
    private static final long SECOND = 1_000_000_000;

    @Test
    void theFirstLinesOfAWindowAreLoggedAndTheOthersCounted() {
        LogBudget budget = new LogBudget(2, Duration.ofSeconds(10));
        long now = -3;
        assertThat(budget.take(now)).isEqualTo(OptionalLong.of(0));
        assertThat(budget.take(now + SECOND)).isEqualTo(OptionalLong.of(0));
        for (int i = 0; i < 5; i++) {
            assertThat(budget.take(now + 2 * SECOND)).isEmpty();
        }
        assertThat(budget.take(now + 10 * SECOND)).isEqualTo(OptionalLong.of(5));
        assertThat(budget.take(now + 11 * SECOND)).isEqualTo(OptionalLong.of(0));
        assertThat(budget.take(now + 12 * SECOND)).isEmpty();
    }

    @Test
    void aQuietTimeGivesAWholeWindow() {
        LogBudget budget = new LogBudget(1, Duration.ofSeconds(10));
        assertThat(budget.take(0)).isPresent();
        assertThat(budget.take(95 * SECOND)).isEqualTo(OptionalLong.of(0));
        assertThat(budget.take(104 * SECOND)).isEmpty();
        assertThat(budget.take(105 * SECOND)).isEqualTo(OptionalLong.of(1));
    }
}
