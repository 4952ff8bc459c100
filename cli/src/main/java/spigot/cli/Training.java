package spigot.cli;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;

/**
 * Runs what short commands run, so that a cache of their classes can be recorded: see .ci/train.sh. Not for users.
 */
public final class Training {
    private Training() {}

    /** @param arguments the directory of a running server */
    public static void main(String[] arguments) {
        run("--help");
        run("--version");
        for (String verb : List.of(
                "server",
                "token",
                "publish",
                "mount",
                "umount",
                "status",
                "stats",
                "info",
                "replicas",
                "warmup",
                "doctor",
                "demo")) {
            run(verb, "--help");
        }
        run("completion");
        run("mount", "nowhere", "/nonexistent");
        run("status");
        run("status", "--json");
        run("stats", "/nonexistent");
        run("umount", "/nonexistent");
        run("doctor");
        if (arguments.length > 0) {
            run("token", "create", "--role", "node", "--data", arguments[0]);
            run("status", "--data", arguments[0]);
        }
    }

    private static void run(String... words) {
        Main.commandLine(words)
                .setOut(new PrintWriter(new StringWriter()))
                .setErr(new PrintWriter(new StringWriter()))
                .execute(words);
    }
}
