package spigot.cache;

/**
 * What the cache has done since the process began, and what it holds.
 *
 * @param dataBytesReceived file bytes that came over the network, as they travelled (zero blocks do not)
 * @param fragmentFetches requests for data that were answered
 * @param cacheHits reads answered from memory or disk alone
 * @param cacheMisses reads that had to wait for a server
 * @param diskHits those of the hits that needed the disk
 * @param demandWaitMillis how long reads waited for servers, summed over all readers
 * @param evictions blocks of memory taken for other data
 * @param diskEvictions pieces of files taken from the disk for others
 * @param memoryBytes in cached blocks now
 * @param memoryBudgetBytes what may be
 * @param diskBytes occupied in the cache directory now
 * @param diskBudgetBytes what may be; 0 without a directory
 * @param prefetchedBytes fetched before anybody asked
 * @param prefetchUnusedBytes those of them that were dropped from memory before anybody asked
 * @param corruptBlocksReceived blocks from servers whose checksum was wrong
 * @param corruptBlocksOnDisk cached blocks whose checksum was wrong: fetched again
 * @param sourceSwitches requests that went on at another server
 * @param openRequests opens that asked a home
 * @param leasedFiles files whose lease is held now
 * @param openFiles handles that are open now
 */
public record CacheStatistics(
        long dataBytesReceived,
        long fragmentFetches,
        long cacheHits,
        long cacheMisses,
        long diskHits,
        long demandWaitMillis,
        long evictions,
        long diskEvictions,
        long memoryBytes,
        long memoryBudgetBytes,
        long diskBytes,
        long diskBudgetBytes,
        long prefetchedBytes,
        long prefetchUnusedBytes,
        long corruptBlocksReceived,
        long corruptBlocksOnDisk,
        long sourceSwitches,
        long openRequests,
        long leasedFiles,
        long openFiles) {}
