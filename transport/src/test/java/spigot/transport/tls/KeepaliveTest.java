package spigot.transport.tls;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import spigot.transport.TransportLimits;
import spigot.transport.tls.Keepalive.Verdict;

class KeepaliveTest {
    private static final long SECOND = 1_000_000_000L;
    private final Keepalive keepalive = new Keepalive(TransportLimits.DEFAULT.times(), 0);

    private Verdict at(double seconds, boolean always, boolean busy) {
        return keepalive.judge((long) (seconds * SECOND), always, busy);
    }

    @Test
    void silenceIsAskedAboutOnceEachIntervalAndThenIsDeath() {
        assertThat(at(1, true, false)).isEqualTo(Verdict.FINE);
        assertThat(at(2, true, false)).isEqualTo(Verdict.PING);
        assertThat(at(3, true, false)).isEqualTo(Verdict.FINE);
        assertThat(at(4, true, false)).isEqualTo(Verdict.PING);
        assertThat(at(6, true, false)).isEqualTo(Verdict.PING);
        assertThat(at(8, true, false)).isEqualTo(Verdict.PING);
        assertThat(at(9, true, false)).isEqualTo(Verdict.SILENT);
    }

    @Test
    void whateverComesIsASignOfLife() {
        for (int second = 1; second < 100; second++) {
            keepalive.received(second * SECOND);
            assertThat(at(second + 0.5, true, true)).isEqualTo(Verdict.FINE);
        }
    }

    @Test
    void anIdleBulkConnectionIsLeftAloneAndABusyOneHasItsFullTime() {
        for (int second = 1; second < 100; second++) {
            assertThat(at(second, false, false)).isEqualTo(Verdict.FINE);
        }
        keepalive.expect(100 * SECOND);
        assertThat(at(101, false, true)).isEqualTo(Verdict.FINE);
        assertThat(at(102, false, true)).isEqualTo(Verdict.PING);
        // Further calls that nobody answers do not buy it time.
        keepalive.expect(105 * SECOND);
        assertThat(at(104, false, true)).isEqualTo(Verdict.PING);
        assertThat(at(107, false, true)).isEqualTo(Verdict.PING);
        assertThat(at(109, false, true)).isEqualTo(Verdict.SILENT);
    }

    @Test
    void aConnectionThatIsNotReadShowsThatItIsAlive() {
        keepalive.pauseReading();
        assertThat(at(2, true, true)).isEqualTo(Verdict.PONG);
        for (int second = 4; second < 100; second += 2) {
            assertThat(at(second, true, true)).isEqualTo(Verdict.PONG);
        }
        keepalive.resumeReading(100 * SECOND);
        assertThat(at(101, true, true)).isEqualTo(Verdict.FINE);
    }

    @Test
    void aProcessThatWasStoppedDoesNotBlameItsPeer() {
        assertThat(at(1, true, true)).isEqualTo(Verdict.FINE);
        keepalive.writing(SECOND);
        assertThat(at(3600, true, true)).isEqualTo(Verdict.FINE);
        assertThat(at(3602, true, true)).isEqualTo(Verdict.PING);
        assertThat(at(3605, true, true)).isEqualTo(Verdict.PING);
        assertThat(at(3609, true, true)).isEqualTo(Verdict.SILENT);
    }

    @Test
    void aWriteThatGetsNowhereIsFoundEvenIfTheOtherDirectionIsAlive() {
        keepalive.writing(0);
        for (int second = 1; second <= 30; second++) {
            keepalive.received(second * SECOND);
            assertThat(at(second, true, true)).isEqualTo(Verdict.FINE);
        }
        keepalive.received(31 * SECOND);
        assertThat(at(31, true, true)).isEqualTo(Verdict.STALLED);
        keepalive.written();
        assertThat(at(32, true, true)).isEqualTo(Verdict.FINE);
        assertThat(TransportLimits.DEFAULT.times().stalledAfter()).isEqualTo(Duration.ofSeconds(30));
    }
}
