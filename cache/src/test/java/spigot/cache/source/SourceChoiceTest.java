package spigot.cache.source;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class SourceChoiceTest {
    private static final long MILLI = 1_000_000;
    private static final int MIB = 1 << 20;

    private static SourceEstimate source(long firstByteMillis, double mebibytesPerSecond, long outstanding) {
        return new SourceEstimate(true, firstByteMillis * MILLI, mebibytesPerSecond * MIB / 1e9, outstanding);
    }

    @Test
    void smallReadsGoToTheNearestSourceAndLargeOnesToTheFastest() {
        List<SourceEstimate> sources = List.of(source(1, 10, 0), source(50, 100, 0));
        assertThat(SourceChoice.best(sources, 4096)).isZero();
        assertThat(SourceChoice.best(sources, MIB)).isEqualTo(1);
    }

    @Test
    void aSourceThatOwesMuchIsLeftToItsWork() {
        List<SourceEstimate> sources = List.of(source(1, 100, 8 * MIB), source(5, 100, 0));
        assertThat(SourceChoice.best(sources, MIB)).isEqualTo(1);
    }

    @Test
    void oneThatBrokeComesLast() {
        List<SourceEstimate> sources = List.of(new SourceEstimate(false, 1, 1, 0), source(500, 1, 0));
        assertThat(SourceChoice.best(sources, MIB)).isEqualTo(1);
        assertThat(SourceChoice.best(List.of(sources.getFirst()), MIB)).isZero();
    }

    @Test
    void oneThatIsNotKnownYetIsTried() {
        List<SourceEstimate> sources = List.of(source(5, 100, 0), new SourceEstimate(true, 0, 0, 0));
        assertThat(SourceChoice.best(sources, MIB)).isEqualTo(1);
    }

    @Test
    void theWorkIsSharedByWhatEachCanDo() {
        long[] given = new long[3];
        double[] speed = {100, 50, 10};
        for (int request = 0; request < 160; request++) {
            List<SourceEstimate> sources = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                sources.add(source(1, speed[i], given[i] * MIB));
            }
            given[SourceChoice.best(sources, MIB)]++;
        }
        assertThat(given[0]).isBetween(90L, 110L);
        assertThat(given[1]).isBetween(40L, 60L);
        assertThat(given[2]).isBetween(5L, 15L);
    }
}
