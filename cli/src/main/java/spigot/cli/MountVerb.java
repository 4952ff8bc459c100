package spigot.cli;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import spigot.cache.CacheConfig;
import spigot.cache.OnUnreachable;
import spigot.node.Address;
import spigot.node.NodeException;
import spigot.node.home.SpigotHome;
import spigot.node.mount.MountConfiguration;
import spigot.node.mount.MountDaemon;
import spigot.node.mount.MountPoint;

@Command(
        name = "mount",
        header = "Mount a grid.",
        description = {
            "Returns when the grid can be read below MNT; a daemon serves it until 'spigot umount MNT'. The first mount on a machine needs a "
                    + "token; it is used once, and the identity that it gave is kept for later mounts.",
            "When no server can be reached, names that are cached are still listed, and a read of bytes that are not cached waits (wait), fails with "
                    + "an input/output error after --timeout (fail), or is answered as last known where it is cached and fails elsewhere (stale)."
        },
        footer = {
            "  spigot mount grid.example.org:7440 /mnt/grid --token TOKEN",
            "  spigot mount grid.example.org:7440 /mnt/grid --cache-size 100GiB",
            "  spigot mount grid.example.org:7440 /mnt/grid --on-unreachable fail",
        })
final class MountVerb extends Verb {
    @Parameters(index = "0", paramLabel = "HOST:PORT", description = "The first server of the grid.")
    Address server = new Address("127.0.0.1", 0);

    @Parameters(index = "1", paramLabel = "MNT", description = "An existing directory.")
    String mountPoint = "";

    @Option(
            names = "--token",
            paramLabel = "TOKEN",
            description = "From 'spigot token create --role node'; @FILE reads it from a file.")
    @Nullable
    String token;

    @Option(
            names = "--cache",
            paramLabel = "DIR",
            description = "Where fragments are kept on disk (default: below $SPIGOT_HOME/cache).")
    @Nullable
    Path cache;

    @Option(
            names = "--cache-size",
            paramLabel = "SIZE",
            defaultValue = "10GiB",
            converter = ByteSize.class,
            description = "What they may take there (default: ${DEFAULT-VALUE}).")
    long cacheSize = CacheConfig.DEFAULT_DISK_BYTES;

    @Option(
            names = "--memory",
            paramLabel = "SIZE",
            defaultValue = "256MiB",
            converter = ByteSize.class,
            description = "Memory for fragments and names (default: ${DEFAULT-VALUE}).")
    long memory = CacheConfig.DEFAULT_MEMORY_BYTES;

    @Option(
            names = "--on-unreachable",
            paramLabel = "wait|fail|stale",
            defaultValue = "wait",
            description = "What a read does that no server answers (default: ${DEFAULT-VALUE}).")
    OnUnreachable onUnreachable = OnUnreachable.WAIT;

    @Option(
            names = "--timeout",
            paramLabel = "TIME",
            defaultValue = "30s",
            converter = TimeSpan.class,
            description = "After which 'fail' gives up (default: ${DEFAULT-VALUE}).")
    Duration timeout = CacheConfig.DEFAULT_TIMEOUT;

    @Option(names = "--foreground", description = "Stay, log to standard error, unmount on Ctrl-C.")
    boolean foreground;

    @Override
    public Integer call() throws Exception {
        MountDaemon.fitHeap(memory);
        SpigotHome home = SpigotHome.fromEnvironment();
        Optional<String> joining = valid(() -> TokenText.read(token));
        MountConfiguration asked = valid(() -> new MountConfiguration(
                server,
                mountPoint,
                joining,
                Optional.ofNullable(cache).map(path -> path.toAbsolutePath().normalize()),
                cacheSize,
                memory,
                onUnreachable,
                timeout));
        MountConfiguration configuration = asked.at(MountPoint.check(mountPoint));
        if (!foreground && !MountDaemon.canLeave()) {
            throw new NodeException(
                    "only what the launcher 'spigot' started can go on in the background: add --foreground");
        }
        MountDaemon daemon = new MountDaemon(configuration, home);
        if (foreground) {
            daemon.inForeground(() -> print("mounted " + configuration.mountPoint()));
        } else {
            daemon.inBackground();
        }
        return OK;
    }
}
