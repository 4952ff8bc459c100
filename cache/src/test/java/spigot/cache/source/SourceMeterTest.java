package spigot.cache.source;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class SourceMeterTest {
    private static final long MILLI = 1_000_000;
    private static final long SECOND = 1_000 * MILLI;

    private final SourceMeter meter = new SourceMeter();

    @Test
    void aFailedSourceIsLeftAloneForLongerAndLongerUntilItAnswers() {
        long now = 0;
        meter.failed(now);
        assertThat(meter.isAvailable(now + SECOND / 2)).isFalse();
        assertThat(meter.isAvailable(now + SECOND)).isTrue();
        meter.failed(now);
        assertThat(meter.isAvailable(now + SECOND)).isFalse();
        assertThat(meter.isAvailable(now + 2 * SECOND)).isTrue();
        for (int i = 0; i < 20; i++) {
            meter.failed(now);
        }
        assertThat(meter.isAvailable(now + 31 * SECOND)).isFalse();
        assertThat(meter.isAvailable(now + 33 * SECOND)).isTrue();
        meter.answered(MILLI, 1 << 20, MILLI);
        assertThat(meter.isAvailable(now)).isTrue();
    }

    @Test
    void silenceIsMeasuredByWhatIsUsual() {
        assertThat(meter.silenceNanos()).isEqualTo(500 * MILLI);
        for (int i = 0; i < 50; i++) {
            meter.answered(300 * MILLI, 4096, 0);
        }
        assertThat(meter.silenceNanos()).isBetween(1_100 * MILLI, 1_200 * MILLI);
    }

    @Test
    void smallAnswersSayNothingOfTheThroughput() {
        meter.answered(MILLI, 4096, 1);
        assertThat(meter.estimate(0).bytesPerNano()).isZero();
        meter.answered(MILLI, 1 << 20, 10 * MILLI);
        assertThat(meter.estimate(0).bytesPerNano()).isBetween(0.1, 0.11);
    }

    @Test
    void aSilentSourceCountsAsSlow() {
        meter.answered(MILLI, 4096, 0);
        meter.silent(800 * MILLI, 0);
        assertThat(meter.estimate(0).firstByteNanos()).isGreaterThan(100 * MILLI);
        assertThat(meter.estimate(0).available()).isFalse();
    }

    @Test
    void whatIsAskedAndNotHereIsOwed() {
        meter.asked(100);
        meter.asked(50);
        meter.settled(100);
        assertThat(meter.estimate(0).outstandingBytes()).isEqualTo(50);
    }
}
