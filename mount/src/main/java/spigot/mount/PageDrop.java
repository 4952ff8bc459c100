package spigot.mount;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;
import spigot.model.FileId;
import spigot.model.Fragments;

/**
 * Drops the pages that the kernel holds of one file whose lease has ended. One thread, a virtual one.
 *
 * <p>The kernel makes an invalidation wait for each page whose READ is unanswered, and that READ may wait for the home, which
 * waits for this lease to be given back. So it goes around the pages of pending reads: these hold nothing yet, and will be
 * answered with bytes that are read after the change. If a read begins in a range that is just being dropped, that
 * notification is left to end by itself, and the range is dropped again around the read.
 *
 * <p>A read that was answered meanwhile may have filled pages again from the old version. So all is repeated until a round
 * in which none was.
 */
final class PageDrop {
    private static final long ALL = Long.MAX_VALUE & -Fragments.BLOCK_BYTES;

    private final Notices notices;
    private final ReplyGate gate;
    private final long node;
    private final FileId file;
    private final OpenFiles open;

    /** Bytes from begin to before end; multiples of the page size. */
    record Range(long begin, long end) {
        boolean overlaps(Range other) {
            return begin < other.end && other.begin < end;
        }
    }

    PageDrop(Notices notices, ReplyGate gate, long node, FileId file, OpenFiles open) {
        this.notices = notices;
        this.gate = gate;
        this.node = node;
        this.file = file;
        this.open = open;
    }

    void run() throws IOException, InterruptedException {
        while (true) {
            gate.await(file);
            OpenNode shared = open.node(file);
            long answered = shared == null ? 0 : shared.answeredReads();
            round(shared);
            if (shared == null) {
                return;
            }
            // What was read up to here is not sent from here on.
            shared.change();
            gate.await(file);
            if (shared.answeredReads() == answered) {
                return;
            }
        }
    }

    private void round(@Nullable OpenNode shared) throws IOException, InterruptedException {
        ArrayDeque<Range> left = new ArrayDeque<>();
        left.add(new Range(0, ALL));
        while (!left.isEmpty()) {
            Range range = left.remove();
            List<Range> around = around(range, shared == null ? List.of() : pending(shared));
            if (!around.equals(List.of(range))) {
                left.addAll(around);
            } else if (!drop(range, shared)) {
                left.add(range);
            }
        }
    }

    /** @return false when a read began in the range before it was dropped */
    private boolean drop(Range range, @Nullable OpenNode shared) throws IOException, InterruptedException {
        CompletableFuture<Boolean> disturbed = new CompletableFuture<>();
        if (shared != null) {
            shared.onPendingRead(() -> {
                if (pending(shared).stream().anyMatch(range::overlaps)) {
                    disturbed.complete(true);
                }
            });
        }
        try {
            if (shared != null && pending(shared).stream().anyMatch(range::overlaps)) {
                return false;
            }
            long length = range.end() == ALL ? 0 : range.end() - range.begin();
            CompletableFuture<Boolean> dropped = notices.dropPages(node, range.begin(), length);
            try {
                CompletableFuture.anyOf(dropped, disturbed).get();
            } catch (ExecutionException e) {
                // Said below, where the end of the mount is told from a failure.
            }
            if (!dropped.isDone()) {
                return false;
            }
            Notices.await(dropped);
            return true;
        } finally {
            if (shared != null) {
                shared.onPendingRead(null);
            }
        }
    }

    private static List<Range> pending(OpenNode shared) {
        List<Range> ranges = new ArrayList<>();
        for (OpenNode.PendingRead read : shared.pendingReads()) {
            long page = Fragments.BLOCK_BYTES;
            ranges.add(new Range(Math.floorDiv(read.offset(), page) * page, Math.ceilDiv(read.end(), page) * page));
        }
        return ranges;
    }

    /** The parts of a range that none of the holes touches, in order. */
    static List<Range> around(Range range, List<Range> holes) {
        List<Range> sorted = new ArrayList<>(holes);
        sorted.sort(Comparator.comparingLong(Range::begin));
        List<Range> parts = new ArrayList<>();
        long from = range.begin();
        for (Range hole : sorted) {
            if (hole.begin() > from && from < range.end()) {
                parts.add(new Range(from, Math.min(hole.begin(), range.end())));
            }
            from = Math.max(from, hole.end());
        }
        if (from < range.end()) {
            parts.add(new Range(from, range.end()));
        }
        return parts;
    }
}
