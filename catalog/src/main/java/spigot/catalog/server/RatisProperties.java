package spigot.catalog.server;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.ratis.RaftConfigKeys;
import org.apache.ratis.conf.RaftProperties;
import org.apache.ratis.server.RaftServerConfigKeys;
import org.apache.ratis.util.SizeInBytes;
import org.apache.ratis.util.TimeDuration;

/** How Ratis is set up for a group of one member inside another process. Pure. */
final class RatisProperties {
    private static final long SNAPSHOT_EVERY_ENTRIES = 4096;

    private RatisProperties() {}

    static RaftProperties of(Path directory) {
        RaftProperties properties = new RaftProperties();
        properties.set(RaftConfigKeys.Rpc.TYPE_KEY, LocalRpc.class.getName());
        RaftServerConfigKeys.setStorageDir(properties, List.of(directory.toFile()));
        elections(properties);
        log(properties);
        RaftServerConfigKeys.Read.setOption(properties, RaftServerConfigKeys.Read.Option.LINEARIZABLE);
        RaftServerConfigKeys.Snapshot.setAutoTriggerEnabled(properties, true);
        RaftServerConfigKeys.Snapshot.setAutoTriggerThreshold(properties, SNAPSHOT_EVERY_ENTRIES);
        RaftServerConfigKeys.RetryCache.setExpiryTime(properties, seconds(5));
        return properties;
    }

    /** A member that is alone need not wait for anybody before it elects itself. */
    private static void elections(RaftProperties properties) {
        RaftServerConfigKeys.Rpc.setFirstElectionTimeoutMin(properties, millis(1));
        RaftServerConfigKeys.Rpc.setFirstElectionTimeoutMax(properties, millis(5));
        RaftServerConfigKeys.Rpc.setTimeoutMin(properties, millis(100));
        RaftServerConfigKeys.Rpc.setTimeoutMax(properties, millis(200));
        RaftServerConfigKeys.LeaderElection.setPreVote(properties, false);
        // A process that was stopped for a while must neither step down nor, as Ratis would by default, close itself.
        RaftServerConfigKeys.LeaderElection.setLeaderStepDownWaitTime(properties, days(365));
        RaftServerConfigKeys.Rpc.setSlownessTimeout(properties, days(365));
        RaftServerConfigKeys.setCloseThreshold(properties, days(365));
        RaftServerConfigKeys.setSleepDeviationThreshold(properties, days(365));
    }

    private static void log(RaftProperties properties) {
        RaftServerConfigKeys.Log.setSegmentSizeMax(properties, SizeInBytes.valueOf("8MB"));
        RaftServerConfigKeys.Log.setPreallocatedSize(properties, SizeInBytes.valueOf("64KB"));
        RaftServerConfigKeys.Log.setSegmentCacheNumMax(properties, 2);
        RaftServerConfigKeys.Log.setSegmentCacheSizeMax(properties, SizeInBytes.valueOf("8MB"));
        RaftServerConfigKeys.Log.setPurgeUptoSnapshotIndex(properties, true);
        RaftServerConfigKeys.Log.setPurgeGap(properties, 1);
    }

    private static TimeDuration millis(long millis) {
        return TimeDuration.valueOf(millis, TimeUnit.MILLISECONDS);
    }

    private static TimeDuration seconds(long seconds) {
        return TimeDuration.valueOf(seconds, TimeUnit.SECONDS);
    }

    private static TimeDuration days(long days) {
        return TimeDuration.valueOf(days, TimeUnit.DAYS);
    }
}
