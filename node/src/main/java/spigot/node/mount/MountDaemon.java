package spigot.node.mount;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.linux.Binding;
import spigot.linux.OwnProcess;
import spigot.node.LogConfigurator;
import spigot.node.NodeException;
import spigot.node.home.SpigotHome;

/**
 * The process of one mount, which is the process of {@code spigot mount} itself: so that a JVM starts only once. In the background it leaves its terminal when it serves, and says so to who waits
 * for it ({@code .ci/in-background}) with the line "ready" on standard output; in the foreground it stays. SIGTERM and Ctrl-C unmount. Used by
 * the main thread.
 */
public final class MountDaemon {
    /** System property: somebody waits for the line "ready"; without it nobody could go into the background. */
    private static final String IN_BACKGROUND = "spigot.background";

    /** System property: the launcher that has started this process. */
    private static final String LAUNCHER = "spigot.launcher";

    /** Environment: how much is logged. */
    private static final String LOG_LEVEL = "SPIGOT_LOG";

    private static final String HEAP_OPTION = "-Xmx";
    private static final long MIB = 1L << 20;
    private static final Duration START = Duration.ofSeconds(60);
    private static final Duration GRACE = Duration.ofSeconds(10);
    private static final int END_SECONDS = 20;

    private final MountConfiguration configuration;
    private final SpigotHome home;
    private final CompletableFuture<MountProcess> started = new CompletableFuture<>();

    /** Nothing may have been logged before: where to is decided here. */
    public MountDaemon(MountConfiguration configuration, SpigotHome home) {
        this.configuration = configuration;
        this.home = home;
    }

    /** Whether this process can go into the background. */
    public static boolean canLeave() {
        return Boolean.getBoolean(IN_BACKGROUND);
    }

    /**
     * Starts the JVM again when its heap has another size than this memory needs, which can't be set from inside; then it does not return. To be called
     * before anything is read that can be read only once. Does nothing where no launcher has started this process for a mount alone.
     *
     * @param memoryBytes as in {@link MountConfiguration}; need not be valid
     */
    public static void fitHeap(long memoryBytes) throws IOException {
        if (System.getProperty(LAUNCHER) == null) {
            return;
        }
        List<String> arguments = new ArrayList<>(OwnProcess.arguments());
        String wanted = HEAP_OPTION + Math.ceilDiv(MountConfiguration.heapBytes(memoryBytes), MIB) + "m";
        List<String> heaps =
                arguments.stream().filter(word -> word.startsWith(HEAP_OPTION)).toList();
        if (!heaps.isEmpty() && heaps.getLast().equals(wanted)) {
            return;
        }
        arguments.removeAll(heaps);
        arguments.add(1, wanted);
        OwnProcess.startAgain(arguments);
    }

    /** Mounts, and returns when the mount has ended: at standard error until it serves, in its log from then on. */
    public void inBackground() throws NodeException, IOException, InterruptedException {
        Path log = home.logs().resolve(SpigotHome.nameOf(configuration.mountPoint()) + ".log");
        System.setProperty(LogConfigurator.FILE, log.toString());
        run(() -> {
            OwnProcess.leave(log.resolveSibling(log.getFileName() + ".stderr"));
            PrintStream out = System.out;
            out.println("ready");
            boolean heard = !out.checkError();
            OwnProcess.closeOutput();
            return heard;
        });
    }

    /** Mounts, and returns when the mount has ended. */
    public void inForeground(Runnable ready) throws NodeException, IOException, InterruptedException {
        run(() -> {
            ready.run();
            return true;
        });
    }

    private interface Announcement {
        /** @return whether it was heard */
        boolean make() throws IOException;
    }

    private void run(Announcement ready) throws NodeException, IOException, InterruptedException {
        System.setProperty(LogConfigurator.LEVEL, System.getenv().getOrDefault(LOG_LEVEL, "INFO"));
        // Beside the handshake with the server, which is the other half of the start.
        Thread.ofPlatform().daemon().name("binding").start(Binding::bind);
        Thread starting = Thread.currentThread();
        Runtime.getRuntime()
                .addShutdownHook(Thread.ofPlatform().name("shutdown").unstarted(() -> end(starting)));
        MountProcess mount;
        StartLimit limit = new StartLimit(START, GRACE, () -> {
            System.err.println("spigot mount: " + late() + ", and does not end");
            Runtime.getRuntime().halt(1);
        });
        try (limit) {
            mount = MountProcess.start(configuration, home);
            started.complete(mount);
        } catch (InterruptedException e) {
            if (limit.hasPassed()) {
                log().error("event=mount_failed reason=\"{}\"", late());
                throw new NodeException(late(), e);
            }
            throw e;
        } catch (NodeException e) {
            log().info("event=mount_refused reason=\"{}\"", e.getMessage());
            throw e;
        } catch (IOException | RuntimeException e) {
            log().error("event=mount_failed", e);
            throw e;
        } finally {
            started.cancel(false);
        }
        if (!ready.make()) {
            log().info("event=mount_unwanted reason=\"who asked for it is gone\"");
            return;
        }
        mount.awaitEnd();
    }

    private String late() {
        return configuration.mountPoint() + " was not mounted within " + START.toSeconds() + " s";
    }

    private static Logger log() {
        return LoggerFactory.getLogger(MountDaemon.class);
    }

    /** On the way out, whatever the reason: nothing stays mounted, also when it comes in the middle of the start. */
    private void end(Thread starting) {
        if (!started.isDone()) {
            starting.interrupt();
        }
        try {
            started.get(END_SECONDS, TimeUnit.SECONDS).close();
        } catch (TimeoutException e) {
            log().warn("event=start_not_ended seconds={}", END_SECONDS);
        } catch (CancellationException e) {
            // It did not start, and has cleaned up after itself.
        } catch (ExecutionException e) {
            throw new IllegalStateException(e); // nothing completes it so
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
