package spigot.cli.demo;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import spigot.node.Json;
import spigot.node.NodeException;
import spigot.node.mount.MountTable;

/** Two servers and a mount, as processes of their own, in one directory. Used by one thread; {@link #close} by any. */
final class DemoGrid implements AutoCloseable {
    private static final long START_SECONDS = 60;

    private final Path directory;
    private final Programs programs;
    private final List<Process> servers = new CopyOnWriteArrayList<>();
    private final List<Path> mounts = new CopyOnWriteArrayList<>();
    private String address = "";

    DemoGrid(Path directory, Programs programs) {
        this.directory = directory;
        this.programs = programs;
    }

    String address() {
        return address;
    }

    Path data(String name) {
        return directory.resolve("server-" + name);
    }

    /** Starts a server and waits until it serves. */
    void server(String name, String site, String... more) throws NodeException, IOException, InterruptedException {
        List<String> words = new ArrayList<>(List.of(
                "server",
                "--data",
                data(name).toString(),
                "--name",
                name,
                "--site",
                site,
                "--listen",
                "127.0.0.1:0",
                "--http",
                "none"));
        words.addAll(List.of(more));
        Path out = directory.resolve(name + ".out");
        Path err = directory.resolve(name + ".err");
        Process server = programs.builder(programs.spigotCommand(words.toArray(String[]::new)))
                .redirectOutput(out.toFile())
                .redirectError(err.toFile())
                .start();
        servers.add(server);
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_SECONDS);
        while (System.nanoTime() < deadline) {
            for (String line : Files.readAllLines(out)) {
                if (line.startsWith("ready ")) {
                    if (address.isEmpty()) {
                        address = line.substring("ready ".length());
                    }
                    return;
                }
            }
            if (server.waitFor(20, TimeUnit.MILLISECONDS)) {
                break;
            }
        }
        throw new NodeException("the server " + name + " did not start: "
                + Files.readString(err).strip());
    }

    String token(String role) throws NodeException, IOException, InterruptedException {
        return programs.spigot(
                        "token",
                        "create",
                        "--role",
                        role,
                        "--data",
                        data("north").toString())
                .strip();
    }

    /** Mounts with a cache of its own. */
    Path mount(String name, String... more) throws NodeException, IOException, InterruptedException {
        Path point = Files.createDirectories(directory.resolve(name));
        List<String> words = new ArrayList<>(List.of(
                "mount",
                address,
                point.toString(),
                "--cache",
                directory.resolve("cache-" + name).toString()));
        words.addAll(List.of(more));
        mounts.add(point);
        programs.spigot(words.toArray(String[]::new));
        return point;
    }

    void unmount(Path point) throws NodeException, IOException, InterruptedException {
        programs.spigot("umount", point.toString());
    }

    JsonNode stats(Path point) throws NodeException, IOException, InterruptedException {
        return Json.parse(programs.spigot("stats", point.toString(), "--json"));
    }

    /** Ends mounts, then servers; each step is tried whatever became of the others. @return what could not be ended, one line each */
    List<String> end() {
        List<String> left = new ArrayList<>();
        for (Path point : mounts) {
            try {
                if (MountTable.read().at(point.toString()).isPresent()) {
                    programs.spigot("umount", "--lazy", point.toString());
                }
            } catch (NodeException | IOException e) {
                left.add(point + " is still mounted: " + NodeException.reason(e));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                left.add(point + " may still be mounted: interrupted");
            }
        }
        servers.forEach(Process::destroy);
        for (Process server : servers) {
            try {
                if (!server.waitFor(10, TimeUnit.SECONDS)) {
                    server.destroyForcibly();
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                server.destroyForcibly();
            }
        }
        return left;
    }

    @Override
    public void close() {
        end();
    }
}
