package spigot.node;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import spigot.linux.Processes;
import spigot.node.home.GridIdentities;
import spigot.node.home.MountRecord;
import spigot.node.home.SpigotHome;
import spigot.node.http.ProcessFigures;
import spigot.node.mount.LocalMounts;
import spigot.node.mount.MountTable;
import spigot.transport.Peer;
import spigot.transport.TransportCounters;
import spigot.transport.TransportLimits;
import spigot.transport.identity.Identity;
import spigot.transport.tls.Connector;

/** Looks at what Spigot needs on this machine and at the mounts of this user. Each check is bounded in time; no mount is touched. */
public final class Doctor {
    /** Of stat(2): what kind of file a mode tells of. */
    private static final int S_IFMT = 0170000;

    private static final int S_IFCHR = 0020000;
    private static final Path DEV_FUSE = Path.of("/dev/fuse");
    private static final int ENOUGH_DESCRIPTORS = 4096;

    private final SpigotHome home;
    private final Duration limit;

    public Doctor(SpigotHome home, Duration limit) {
        this.home = home;
        this.limit = limit;
    }

    /** How a check ended. */
    public enum Verdict {
        OK,
        /** Works, but not for everybody or not as well as it could. */
        WARNING,
        FAILED
    }

    /** @param text one line: what was found, and what to do unless it is well */
    public record Finding(Verdict verdict, String text) {}

    public List<Finding> examine() {
        List<Finding> findings = new ArrayList<>();
        findings.add(check("Java", this::java));
        findings.add(check("/dev/fuse", this::devFuse));
        findings.add(check("fusermount3", this::fusermount));
        findings.add(check("the limit of open files", this::descriptors));
        findings.add(check(home.root().toString(), this::homeDirectory));
        findings.addAll(checks("the mounts", this::mounts));
        findings.addAll(checks("the grids", this::grids));
        return findings;
    }

    private Finding check(String what, Callable<Finding> look) {
        try {
            return BoundedTask.within(limit, "looking at " + what, look);
        } catch (NodeException | IOException e) {
            return new Finding(Verdict.FAILED, what + ": " + NodeException.reason(e));
        }
    }

    private List<Finding> checks(String what, Callable<List<Callable<Finding>>> listing) {
        List<Finding> findings = new ArrayList<>();
        try {
            for (Callable<Finding> each : BoundedTask.within(limit, "listing " + what, listing)) {
                findings.add(check(what, each));
            }
        } catch (NodeException | IOException e) {
            findings.add(new Finding(Verdict.FAILED, what + ": " + NodeException.reason(e)));
        }
        return findings;
    }

    private Finding java() {
        return new Finding(
                Runtime.version().feature() >= 25 ? Verdict.OK : Verdict.FAILED,
                "Java " + Runtime.version() + " in " + System.getProperty("java.home"));
    }

    private Finding devFuse() throws IOException {
        if (!Files.exists(DEV_FUSE)) {
            return new Finding(
                    Verdict.FAILED,
                    "there is no /dev/fuse: load the kernel module (modprobe fuse), or give the container the device (--device /dev/fuse)");
        }
        if (!isCharacterDevice(DEV_FUSE)) {
            return new Finding(
                    Verdict.FAILED,
                    "/dev/fuse is no device: give the container the real one (--device /dev/fuse), or make it (mknod /dev/fuse c 10 229)");
        }
        try (FileChannel device = FileChannel.open(DEV_FUSE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            return new Finding(Verdict.OK, "/dev/fuse can be opened" + (device.isOpen() ? "" : " no longer"));
        } catch (IOException e) {
            return new Finding(
                    Verdict.FAILED,
                    "/dev/fuse can't be opened by this user (" + NodeException.reason(e)
                            + "): its mode should be 0666; in a container the device must be permitted");
        }
    }

    private static boolean isCharacterDevice(Path path) throws IOException {
        int mode = (int) Files.getAttribute(path, "unix:mode");
        return (mode & S_IFMT) == S_IFCHR;
    }

    private Finding fusermount() {
        for (String directory : System.getenv().getOrDefault("PATH", "").split(":")) {
            Path program = Path.of(directory, "fusermount3");
            if (!directory.isEmpty() && Files.isExecutable(program)) {
                return new Finding(Verdict.OK, program + " is there, for mounts of ordinary users");
            }
        }
        boolean root = Processes.effectiveUserId() == 0;
        return new Finding(
                root ? Verdict.WARNING : Verdict.FAILED,
                "fusermount3 is not installed: " + (root ? "only root can mount" : "this user can't mount")
                        + " (Debian: apt install fuse3)");
    }

    private Finding descriptors() {
        long most = ProcessFigures.now().maxDescriptors();
        return most >= ENOUGH_DESCRIPTORS
                ? new Finding(Verdict.OK, "up to " + most + " files may be open in a process")
                : new Finding(
                        Verdict.WARNING,
                        "only " + most + " files may be open in a process: raise it (ulimit -n " + ENOUGH_DESCRIPTORS
                                + ")");
    }

    private Finding homeDirectory() throws IOException, NodeException {
        if (!home.exists()) {
            return new Finding(Verdict.OK, home.root() + " is not there yet: nothing was mounted by this user");
        }
        Path probe = Files.createTempFile(home.run(), "doctor", "");
        Files.delete(probe);
        long free = Files.getFileStore(home.root()).getUsableSpace();
        return new Finding(
                free >= 1L << 30 ? Verdict.OK : Verdict.WARNING,
                home.root() + " can be written, " + (free >> 20) + " MiB are free there"
                        + (free >= 1L << 30 ? "" : ": give caches another place with --cache"));
    }

    private List<Callable<Finding>> mounts() throws NodeException, IOException {
        LocalMounts mounts = new LocalMounts(home);
        MountTable table = MountTable.read();
        List<Callable<Finding>> checks = new ArrayList<>();
        Set<String> recorded = new TreeSet<>();
        for (MountRecord record : mounts.records()) {
            recorded.add(record.mountPoint());
            checks.add(() -> mount(mounts, table, record));
        }
        for (MountTable.Entry entry : table.ofGrids()) {
            if (!recorded.contains(entry.mountPoint())) {
                checks.add(() -> new Finding(
                        Verdict.WARNING,
                        entry.mountPoint() + " is a mount of another user or another SPIGOT_HOME: not looked at"));
            }
        }
        return checks;
    }

    private static Finding mount(LocalMounts mounts, MountTable table, MountRecord record) {
        boolean mounted = table.at(record.mountPoint())
                .filter(entry -> entry.type().equals(MountTable.TYPE))
                .isPresent();
        ObjectNode status = mounts.status(record);
        String daemon = status.path("daemon").asText();
        if (daemon.equals("running") && mounted) {
            boolean reached = status.path("catalog_reachable").asBoolean(true);
            return new Finding(
                    reached ? Verdict.OK : Verdict.WARNING,
                    record.mountPoint() + " is served by process "
                            + record.daemon().pid()
                            + (reached ? "" : ", but the catalog at " + record.address() + " can't be reached"));
        }
        String what = switch (daemon) {
            case "dead" -> "its daemon (process " + record.daemon().pid() + ") has died";
            case "silent" ->
                "its daemon does not answer: " + status.path("advice").asText();
            default -> "its daemon runs, but nothing is mounted there";
        };
        return new Finding(
                Verdict.FAILED,
                record.mountPoint() + ": " + what + "; 'spigot umount " + record.mountPoint()
                        + "' cleans up, the log is " + record.log());
    }

    private List<Callable<Finding>> grids() throws NodeException, IOException {
        List<Callable<Finding>> checks = new ArrayList<>();
        for (GridIdentities.Known known : new GridIdentities(home).candidates("")) {
            checks.add(() -> grid(known));
        }
        return checks;
    }

    private Finding grid(GridIdentities.Known known) throws InterruptedException {
        String grid = "grid " + known.identity().self().grid().substring(0, 8);
        if (known.identity().expires().isBefore(java.time.Instant.now())) {
            return new Finding(
                    Verdict.FAILED,
                    grid + ": the certificate expired on " + known.identity().expires()
                            + "; mount once with a new --token");
        }
        if (known.addresses().isEmpty()) {
            return new Finding(Verdict.WARNING, grid + ": no address of a server is known; mount once from one");
        }
        List<String> silent = new ArrayList<>();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<String>> attempts = new ArrayList<>();
            for (String address : known.addresses()) {
                attempts.add(threads.submit(() -> reach(known.identity(), address)));
            }
            for (Future<String> attempt : attempts) {
                try {
                    String address = attempt.get();
                    threads.shutdownNow(); // the others need not be waited for
                    return new Finding(
                            Verdict.OK,
                            grid + " answers at " + address + ", the certificate is good until "
                                    + known.identity().expires());
                } catch (ExecutionException e) {
                    silent.add(NodeException.reason(e.getCause()));
                }
            }
        }
        return new Finding(
                Verdict.WARNING,
                grid + " can't be reached: " + String.join("; ", silent)
                        + "; see there whether 'spigot server' runs and is not stopped");
    }

    /**
     * TCP, the TLS handshake and the server's hello: a process that is stopped still gets connections, which its kernel makes. Each takes
     * its part of the limit, so that whoever waits for all of them learns which it was.
     */
    private String reach(Identity identity, String address) throws IOException, InterruptedException {
        TransportLimits.Times usual = TransportLimits.DEFAULT.times();
        Duration part = limit.multipliedBy(2).dividedBy(5);
        TransportLimits limits = TransportLimits.DEFAULT.with(
                new TransportLimits.Times(usual.pingAfter(), usual.deadAfter(), usual.stalledAfter(), part, part));
        Connector connector = new Connector(() -> identity, limits, new TransportCounters(), new SecureRandom());
        try (Peer peer = connector.peer(address, new RefusingHandler())) {
            peer.link(Duration.ZERO);
        }
        return address;
    }
}
