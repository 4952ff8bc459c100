package spigot.mount;

import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.LongAdder;

/**
 * Counts of what programs asked of the mount, and how long they waited. Safe for any thread; counting allocates nothing. Times
 * go into buckets of powers of two, so that a percentile is right within a factor of two.
 */
public final class MountStatistics {
    private static final int BUCKETS = 40;

    private final LongAdder[] counts = adders();
    private final LongAdder[] errors = adders();
    private final LongAdder[] handedOver = adders();
    private final LongAdder[] nanos = adders();
    private final AtomicLongArray buckets = new AtomicLongArray(Operation.values().length * BUCKETS);
    private final LongAdder readBytes = new LongAdder();
    private final LongAdder drops = new LongAdder();
    private final LongAdder changes = new LongAdder();

    MountStatistics() {}

    private static LongAdder[] adders() {
        LongAdder[] adders = new LongAdder[Operation.values().length];
        for (int i = 0; i < adders.length; i++) {
            adders[i] = new LongAdder();
        }
        return adders;
    }

    /** @param startNanos by {@link System#nanoTime}, when the operation came */
    void done(Operation operation, long startNanos) {
        long took = Math.max(0, System.nanoTime() - startNanos);
        int index = operation.ordinal();
        counts[index].increment();
        nanos[index].add(took);
        int bucket = Math.min(BUCKETS - 1, Long.SIZE - Long.numberOfLeadingZeros(took));
        buckets.incrementAndGet(index * BUCKETS + bucket);
    }

    void failed(Operation operation) {
        errors[operation.ordinal()].increment();
    }

    void handedOver(Operation operation) {
        handedOver[operation.ordinal()].increment();
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
        for (Operation operation : Operation.values()) {
            int index = operation.ordinal();
            all.put(
                    operation,
                    new Count(
                            counts[index].sum(),
                            errors[index].sum(),
                            handedOver[index].sum(),
                            nanos[index].sum(),
                            percentile(index, 0.5),
                            percentile(index, 0.99)));
        }
        return new Snapshot(Map.copyOf(all), readBytes.sum(), drops.sum(), changes.sum());
    }

    private long percentile(int operation, double part) {
        long total = 0;
        for (int i = 0; i < BUCKETS; i++) {
            total += buckets.get(operation * BUCKETS + i);
        }
        long wanted = (long) Math.ceil(total * part);
        long seen = 0;
        for (int i = 0; i < BUCKETS; i++) {
            seen += buckets.get(operation * BUCKETS + i);
            if (seen >= wanted && seen > 0) {
                return 1L << i;
            }
        }
        return 0;
    }
}
