package spigot.session;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Checks a history of reads and writes of one register, each write of a value of its own, for linearizability (P. Gibbons, E. Korach:
 * "Testing Shared Memories", SIAM J. Comput. 26(4), 1997, theorem 4.2: the zones of the values). Takes n log n.
 */
final class RegisterHistory {
    /** An operation with its times. @param value that was read or written; 0 is there from the beginning */
    record Operation(boolean write, long value, long beginNanos, long endNanos) {}

    private record Zone(long value, long from, long to, boolean forward) {}

    private RegisterHistory() {}

    /** @return what is wrong with it */
    static Optional<String> fault(List<Operation> operations) {
        Map<Long, Operation> writes = new HashMap<>();
        writes.put(0L, new Operation(true, 0, Long.MIN_VALUE, Long.MIN_VALUE));
        Map<Long, Long> firstEnd = new HashMap<>();
        Map<Long, Long> lastBegin = new HashMap<>();
        for (Operation operation : operations) {
            if (operation.write()) {
                writes.put(operation.value(), operation);
            }
        }
        writes.forEach((value, write) -> {
            firstEnd.put(value, write.endNanos());
            lastBegin.put(value, write.beginNanos());
        });
        for (Operation read : operations) {
            Operation write = writes.get(read.value());
            if (write == null || read.endNanos() < write.beginNanos()) {
                return Optional.of("read before it was written: " + read);
            }
            firstEnd.merge(read.value(), read.endNanos(), Math::min);
            lastBegin.merge(read.value(), read.beginNanos(), Math::max);
        }
        List<Zone> zones = new ArrayList<>();
        firstEnd.forEach((value, end) -> {
            long begin = lastBegin.getOrDefault(value, end);
            zones.add(new Zone(value, Math.min(end, begin), Math.max(end, begin), end < begin));
        });
        zones.sort((a, b) -> Long.compare(a.from(), b.from()));
        Zone open = null;
        for (Zone zone : zones) {
            if (open != null && zone.forward() && zone.from() < open.to()) {
                return Optional.of("two values were both seen before and after each other: " + open + ", " + zone);
            }
            if (open != null && !zone.forward() && zone.to() < open.to()) {
                return Optional.of("a value was between two that are one: " + zone + " in " + open);
            }
            if (zone.forward() && (open == null || zone.to() > open.to())) {
                open = zone;
            }
        }
        return Optional.empty();
    }
}
