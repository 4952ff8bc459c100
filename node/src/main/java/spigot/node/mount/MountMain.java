package spigot.node.mount;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.linux.Libc;
import spigot.linux.Machine;
import spigot.node.Json;
import spigot.node.NodeException;
import spigot.node.home.SpigotHome;

/**
 * The process of one mount. Reads its configuration, one JSON line, from standard input; writes one JSON line to standard output when it
 * serves ("ready") or can't ("error"), and ends at once when nobody reads that. In the background it leaves the session of who started it; in the foreground it ends when
 * standard input does. SIGTERM unmounts.
 */
public final class MountMain {
    private MountMain() {}

    public static void main(String[] arguments) throws IOException, InterruptedException {
        boolean foreground = arguments.length > 0 && arguments[0].equals("foreground");
        if (!foreground) {
            // Fails only for the leader of a process group, which has a session of its own already.
            Libc.syscall(Machine.SYS_SETSID, 0, 0, 0, 0, 0, 0);
        }
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = System.out;
        System.exit(run(in, out, foreground));
    }

    private static int run(BufferedReader in, PrintStream out, boolean foreground)
            throws IOException, InterruptedException {
        Logger log = LoggerFactory.getLogger(MountMain.class);
        MountProcess mount;
        try {
            String line = in.readLine();
            if (line == null) {
                throw new NodeException("the configuration did not come");
            }
            mount = MountProcess.start(MountConfiguration.of(Json.parse(line)), SpigotHome.fromEnvironment());
        } catch (NodeException e) {
            log.info("event=mount_refused reason=\"{}\"", e.getMessage());
            answer(out, Json.object().put("error", NodeException.reason(e)));
            return 1;
        } catch (IOException | RuntimeException e) {
            log.error("event=mount_failed", e);
            answer(
                    out,
                    Json.object()
                            .put(
                                    "error",
                                    e instanceof IOException
                                            ? NodeException.reason(e)
                                            : "a fault in Spigot: " + e + "; see the log"));
            return 1;
        } catch (InterruptedException e) {
            answer(out, Json.object().put("error", "interrupted"));
            return 1;
        }
        Runtime.getRuntime()
                .addShutdownHook(Thread.ofPlatform().name("shutdown").unstarted(mount::close));
        if (!answer(out, Json.object().put("ready", true))) {
            log.info("event=mount_unwanted reason=\"who asked for it is gone\"");
            return 1;
        }
        if (foreground) {
            Thread.ofPlatform().daemon().name("parent").start(() -> awaitEnd(in, mount));
        }
        mount.awaitEnd();
        return 0;
    }

    private static void awaitEnd(BufferedReader in, MountProcess mount) {
        try {
            while (in.readLine() != null) {
                // Nothing more is expected: only the end counts.
            }
        } catch (IOException e) {
            LoggerFactory.getLogger(MountMain.class).info("event=parent_gone reason=\"{}\"", e.toString());
        }
        mount.close();
    }

    /** @return false when nobody can read it any more */
    private static boolean answer(PrintStream out, ObjectNode line) {
        out.println(Json.line(line));
        boolean heard = !out.checkError();
        out.close();
        return heard;
    }
}
