package spigot.cli.demo;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import spigot.node.NodeException;

/**
 * The demo from beginning to end. {@link #run} on one thread; {@link #close}, which removes everything, on any and more than once, as the
 * program may be interrupted at any time.
 */
public final class Demo implements AutoCloseable {
    /** How much sooner than this process the others may notice that all are being ended. */
    private static final long END_MILLIS = 500;

    private final Consumer<String> out;
    private final ReentrantLock closing = new ReentrantLock();
    private final CountDownLatch ending = new CountDownLatch(1);
    private final Thread hook = Thread.ofPlatform().name("demo-cleanup").unstarted(() -> {
        ending.countDown();
        close();
    });
    private @Nullable Path directory;
    private @Nullable DemoGrid grid;
    private boolean closed;

    public Demo(Consumer<String> out) {
        this.out = out;
    }

    /**
     * @return whether every program said the same on the mount as on the original files
     * @throws InterruptedException when the program is being ended, as by Ctrl-C
     */
    public boolean run() throws NodeException, IOException, InterruptedException {
        try {
            return runAll();
        } catch (NodeException | IOException e) {
            // Ctrl-C ends the programs and servers of the demo too, and their failures are nothing to tell.
            if (ending.await(END_MILLIS, TimeUnit.MILLISECONDS)) {
                throw new InterruptedException("the demo was interrupted: " + NodeException.reason(e));
            }
            throw e;
        }
    }

    private boolean runAll() throws NodeException, IOException, InterruptedException {
        checkFuse();
        Runtime.getRuntime().addShutdownHook(hook);
        Path place = Files.createTempDirectory("spigot-demo");
        directory = place;
        Programs programs = new Programs(place, place.resolve("home"));
        DemoGrid started = new DemoGrid(place, programs);
        grid = started;

        out.accept("making sample data in " + place);
        SampleData data = SampleData.make(place.resolve("original"), programs);
        Path copy = place.resolve("copy");
        require(programs.shell("cp -a '" + data.directory() + "' '" + copy + "'"), "copying the sample data");

        out.accept("starting a grid: server 'north' with the catalog, server 'south' with a second copy of the data");
        started.server("north", "taipei", "--publish", data.directory() + "=/data:ro");
        started.server("south", "tainan", "--join", started.address(), "--token", started.token("server"));
        programs.spigot(
                "publish",
                copy.toString(),
                "/data",
                "--replica",
                "--data",
                started.data("south").toString());
        Path mount = started.mount("grid", "--token", started.token("node"));
        out.accept("mounted at " + mount + "; running programs there and on the original");

        List<Measured> rows = new DemoPrograms(programs, started, data, mount).run();
        double copyBytesPerSecond = copyRate(programs, started);
        out.accept("");
        DemoTable.print(rows, copyBytesPerSecond, out);
        out.accept("");
        out.accept(programs.spigot("replicas", mount.resolve("data/run7.dat").toString())
                .stripTrailing());
        return rows.stream().allMatch(Measured::same);
    }

    private static void checkFuse() throws NodeException {
        Path device = Path.of("/dev/fuse");
        if (!Files.exists(device)) {
            throw new NodeException(
                    "there is no /dev/fuse here: load the kernel module (modprobe fuse), or give the container the device");
        }
        try (FileChannel opened = FileChannel.open(device, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            if (!opened.isOpen()) {
                throw new NodeException("/dev/fuse can't be opened");
            }
        } catch (IOException e) {
            throw new NodeException(
                    "/dev/fuse can't be opened by this user (" + NodeException.reason(e)
                            + "): run the demo as root, or where mounting is permitted",
                    e);
        }
    }

    /** How fast the whole large file is copied out of the grid by a mount that has nothing cached. */
    private static double copyRate(Programs programs, DemoGrid grid)
            throws NodeException, IOException, InterruptedException {
        Path second = grid.mount("second");
        Programs.Result copied = programs.shell("cp '" + second + "/data/run7.dat' '" + second + ".copied'");
        require(copied, "copying the whole file");
        JsonNode stats = grid.stats(second);
        grid.unmount(second);
        Files.deleteIfExists(Path.of(second + ".copied"));
        return stats.path("data_bytes_received").asLong() * 1e9 / copied.nanos();
    }

    private static void require(Programs.Result result, String what) throws NodeException {
        if (result.exitCode() != 0) {
            throw new NodeException(what + " failed: " + result.errors().strip());
        }
    }

    /** Leaves all as it is, and says how to use and end it. */
    public void keep() {
        closing.lock();
        try {
            closed = true;
        } finally {
            closing.unlock();
        }
        out.accept("kept: export SPIGOT_HOME=" + directory + "/home; ls " + directory + "/grid/data");
        out.accept("to end it: spigot umount " + directory + "/grid; kill the two 'spigot server' processes; rm -r "
                + directory);
    }

    @Override
    public void close() {
        closing.lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
            if (grid != null) {
                List<String> left = grid.end();
                left.forEach(out);
                if (!left.isEmpty()) {
                    return;
                }
            }
            if (directory != null) {
                delete(directory);
            }
        } catch (IOException e) {
            out.accept(directory + " could not be removed: " + NodeException.reason(e));
        } finally {
            closing.unlock();
        }
    }

    private static void delete(Path directory) throws IOException {
        Files.walkFileTree(directory, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path visited, @Nullable IOException e) throws IOException {
                Files.delete(visited);
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
