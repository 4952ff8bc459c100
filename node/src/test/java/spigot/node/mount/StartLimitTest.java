package spigot.node.mount;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("The limit of a start")
class StartLimitTest {
    private static final Duration LONG = Duration.ofMinutes(10);

    @Test
    void interruptsWhatTakesTooLong() {
        try (StartLimit limit = new StartLimit(Duration.ofMillis(1), LONG, () -> {})) {
            assertThatThrownBy(() -> new CountDownLatch(1).await()).isInstanceOf(InterruptedException.class);
            assertThat(limit.hasPassed()).isTrue();
        }
    }

    @Test
    void takesTheLastResortWhereAnInterruptHelpsNothing() throws Exception {
        CountDownLatch resort = new CountDownLatch(1);
        try (StartLimit limit = new StartLimit(Duration.ofMillis(1), Duration.ofMillis(1), resort::countDown)) {
            while (resort.getCount() > 0) {
                Thread.onSpinWait(); // as a system call that nothing interrupts
            }
            assertThat(limit.hasPassed()).isTrue();
            assertThat(Thread.currentThread().isInterrupted()).isTrue();
        }
        assertThat(Thread.interrupted())
                .as("what ended all the same goes on undisturbed")
                .isFalse();
    }

    @Test
    void leavesAloneWhatIsInTime() {
        StartLimit limit = new StartLimit(LONG, LONG, () -> {});
        limit.close();
        assertThat(limit.hasPassed()).isFalse();
        assertThat(Thread.interrupted()).isFalse();
    }
}
