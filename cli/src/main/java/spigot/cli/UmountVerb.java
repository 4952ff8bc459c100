package spigot.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import spigot.node.home.SpigotHome;
import spigot.node.mount.Unmounting;

@Command(
        name = "umount",
        header = "End a mount and its daemon.",
        description =
                "Returns when the mount is gone and its daemon has ended. Cleans up, too, after a daemon that has died or hangs.",
        footer = "  spigot umount /mnt/grid")
final class UmountVerb extends Verb {
    @Parameters(paramLabel = "MNT", description = "The mount point.")
    String mountPoint = "";

    @Option(
            names = {"-l", "--lazy"},
            description =
                    "Take it out of the file tree at once, even when programs use it; files that they have open stay readable.")
    boolean lazy;

    @Override
    public Integer call() throws Exception {
        new Unmounting(SpigotHome.fromEnvironment()).unmount(mountPoint, lazy);
        return OK;
    }
}
