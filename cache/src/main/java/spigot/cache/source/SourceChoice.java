package spigot.cache.source;

import java.util.List;

/**
 * Which source to ask: the one that should have delivered first, counting what it still owes. So several are used together, each by what it
 * can do. One that is not known yet is taken to be as good as the best: it is tried soon. Pure.
 */
public final class SourceChoice {
    private static final double UNKNOWN_BYTES_PER_NANO = 1.0;

    private SourceChoice() {}

    /** @return the place of the best one in a list that is not empty */
    public static int best(List<SourceEstimate> sources, long bytes) {
        double fastest =
                sources.stream().mapToDouble(SourceEstimate::bytesPerNano).max().orElse(0);
        double unknown = fastest > 0 ? fastest : UNKNOWN_BYTES_PER_NANO;
        int best = 0;
        for (int i = 1; i < sources.size(); i++) {
            if (isBetter(sources.get(i), sources.get(best), bytes, unknown)) {
                best = i;
            }
        }
        return best;
    }

    private static boolean isBetter(SourceEstimate a, SourceEstimate b, long bytes, double unknown) {
        if (a.available() != b.available()) {
            return a.available();
        }
        return nanos(a, bytes, unknown) < nanos(b, bytes, unknown);
    }

    private static double nanos(SourceEstimate source, long bytes, double unknown) {
        double rate = source.bytesPerNano() > 0 ? source.bytesPerNano() : unknown;
        return source.firstByteNanos() + (source.outstandingBytes() + bytes) / rate;
    }
}
