package spigot.cache;

import java.util.concurrent.atomic.LongAdder;

/** What reads and opens have cost so far; fetches count in {@link spigot.cache.source.FetchCounters}. Safe for any thread. */
final class CacheCounters {
    final LongAdder hits = new LongAdder();
    final LongAdder misses = new LongAdder();
    final LongAdder diskHits = new LongAdder();
    final LongAdder demandWaitNanos = new LongAdder();
    final LongAdder aheadBytes = new LongAdder();
    final LongAdder openRequests = new LongAdder();
    final LongAdder openFiles = new LongAdder();
}
