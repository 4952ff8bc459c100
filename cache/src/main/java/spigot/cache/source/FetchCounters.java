package spigot.cache.source;

import java.util.concurrent.atomic.LongAdder;

/** What fetching has cost so far. Safe for any thread. */
public final class FetchCounters {
    final LongAdder receivedBytes = new LongAdder();
    final LongAdder fetches = new LongAdder();
    final LongAdder corruptBlocks = new LongAdder();
    final LongAdder switches = new LongAdder();

    /** Payload bytes as they travelled. */
    public long receivedBytes() {
        return receivedBytes.sum();
    }

    /** Requests that were answered with data. */
    public long fetches() {
        return fetches.sum();
    }

    /** Answers whose data were not what they were said to be. */
    public long corruptBlocks() {
        return corruptBlocks.sum();
    }

    /** Requests that went on at another source. */
    public long switches() {
        return switches.sum();
    }

    /** Data that came with another answer. */
    public void received(long travelledBytes) {
        receivedBytes.add(travelledBytes);
        fetches.increment();
    }

    public void corrupt() {
        corruptBlocks.increment();
    }

    void switched() {
        switches.increment();
    }
}
