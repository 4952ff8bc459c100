package spigot.mount;

import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.LongAdder;

/**
 * Counts of what programs asked of the mount, and how long they waited. Safe for any thread; counting allocates nothing. Times
 * go into buckets of powers of two, so that a percentile is right within a factor of two.
 */
public final class MountStatistics {
    private final Map<Operation, Counter> counters = new EnumMap<>(Operation.class);
    private final LongAdder readBytes = new LongAdder();
    private final LongAdder drops = new LongAdder();
    private final LongAdder changes = new LongAdder();

    MountStatistics() {
        for (Operation operation : Operation.values()) {
            counters.put(operation, new Counter());
        }
    }

    /** The map is complete and never changes after the constructor. */
    private Counter counter(Operation operation) {
        return Objects.requireNonNull(counters.get(operation));
    }

    /** Of one operation. */
    private static final class Counter {
        private static final int BUCKETS = 40;

        final LongAdder count = new LongAdder();
        final LongAdder errors = new LongAdder();
        final LongAdder handedOver = new LongAdder();
        final LongAdder nanos = new LongAdder();
        final AtomicLongArray buckets = new AtomicLongArray(BUCKETS);

        void add(long took) {
            count.increment();
            nanos.add(took);
            buckets.incrementAndGet(Math.min(BUCKETS - 1, Long.SIZE - Long.numberOfLeadingZeros(took)));
        }

        long percentile(double part) {
            long total = 0;
            for (int i = 0; i < BUCKETS; i++) {
                total += buckets.get(i);
            }
            long wanted = (long) Math.ceil(total * part);
            long seen = 0;
            for (int i = 0; i < BUCKETS; i++) {
                seen += buckets.get(i);
                if (seen >= wanted && seen > 0) {
                    return 1L << i;
                }
            }
            return 0;
        }

        Count snapshot() {
            return new Count(
                    count.sum(), errors.sum(), handedOver.sum(), nanos.sum(), percentile(0.5), percentile(0.99));
        }
    }

    /** @param startNanos by {@link System#nanoTime}, when the operation came */
    void done(Operation operation, long startNanos) {
        counter(operation).add(Math.max(0, System.nanoTime() - startNanos));
    }

    void failed(Operation operation) {
        counter(operation).errors.increment();
    }

    void handedOver(Operation operation) {
        counter(operation).handedOver.increment();
    }

    void read(long bytes) {
        readBytes.add(bytes);
    }

    void dropped() {
        drops.increment();
    }

    void changed() {
        changes.increment();
    }

    /**
     * Of one operation since the start.
     *
     * @param handedOver could not be answered at once from memory
     * @param medianNanos upper bounds of the bucket that the percentile lies in
     */
    public record Count(
            long count, long errors, long handedOver, long totalNanos, long medianNanos, long percentile99Nanos) {}

    /**
     * All since the start.
     *
     * @param readBytes given to programs, or to the kernel's page cache, by READ
     * @param droppedDirectories directories whose entries the kernel had to drop
     * @param changedFiles files whose pages the kernel had to drop
     */
    public record Snapshot(
            Map<Operation, Count> operations, long readBytes, long droppedDirectories, long changedFiles) {}

    public Snapshot snapshot() {
        Map<Operation, Count> all = new EnumMap<>(Operation.class);
        counters.forEach((operation, counter) -> all.put(operation, counter.snapshot()));
        return new Snapshot(Map.copyOf(all), readBytes.sum(), drops.sum(), changes.sum());
    }
}
