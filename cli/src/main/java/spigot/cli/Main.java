package spigot.cli;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.TypeConversionException;
import spigot.node.Address;
import spigot.node.LogConfigurator;
import spigot.node.server.Publication;

/** The program: {@code spigot VERB ...}. */
@Command(
        name = "spigot",
        header = "Spigot: files of many sites under one mount, moved fragment by fragment.",
        description =
                "A grid is a catalog and replica servers; a mount shows all that they publish. Only the bytes that a program "
                        + "touches travel, and they are cached near it.",
        synopsisSubcommandLabel = "VERB",
        commandListHeading = "%nVerbs:%n",
        footer = {
            "  spigot server --data /srv/grid --publish /srv/data=/data   # a new grid",
            "  spigot token create --role node --data /srv/grid     # prints a token",
            "  spigot mount HOST:7440 /mnt/grid --token TOKEN       # somewhere else",
            "",
            "'spigot VERB --help' tells more. State of the user's side lies in $SPIGOT_HOME (default ~/.spigot)."
        })
public final class Main extends Verb {
    public static void main(String[] arguments) {
        if (System.getProperty(LogConfigurator.LEVEL) == null) {
            System.setProperty(LogConfigurator.LEVEL, System.getenv().getOrDefault("SPIGOT_LOG", "WARN"));
        }
        PrintWriter out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
        PrintWriter err = new PrintWriter(System.err, true, StandardCharsets.UTF_8);
        int code = commandLine(arguments).setOut(out).setErr(err).execute(arguments);
        System.out.flush();
        System.exit(code);
    }

    /**
     * The command line as {@link #main} uses it: reading the annotations of all verbs takes longer than most of them run, so only the verb
     * that is asked for is there; all of them when it is none.
     */
    static CommandLine commandLine(String... arguments) {
        Failures failures = new Failures();
        CommandLine line = new CommandLine(new Main());
        Map<String, Supplier<Verb>> verbs = verbs();
        Optional<String> wanted = Stream.of(arguments)
                .filter(word -> !word.startsWith("-"))
                .findFirst()
                .filter(verbs::containsKey);
        verbs.forEach((name, verb) -> {
            if (wanted.isEmpty() || wanted.get().equals(name)) {
                line.addSubcommand(name, verb.get());
            }
        });
        return line.setExecutionExceptionHandler(failures)
                .setParameterExceptionHandler(failures)
                .setExpandAtFiles(false)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setAbbreviatedOptionsAllowed(false)
                .registerConverter(Address.class, text -> converted(text, Address::parse))
                .registerConverter(Publication.class, text -> converted(text, Publication::parse));
    }

    /** In the order of the help. */
    private static Map<String, Supplier<Verb>> verbs() {
        Map<String, Supplier<Verb>> verbs = new LinkedHashMap<>();
        verbs.put("server", ServerVerb::new);
        verbs.put("token", TokenVerb::new);
        verbs.put("publish", PublishVerb::new);
        verbs.put("mount", MountVerb::new);
        verbs.put("umount", UmountVerb::new);
        verbs.put("status", StatusVerb::new);
        verbs.put("stats", StatsVerb::new);
        verbs.put("info", InfoVerb::new);
        verbs.put("replicas", ReplicasVerb::new);
        verbs.put("warmup", WarmupVerb::new);
        verbs.put("doctor", DoctorVerb::new);
        verbs.put("demo", DemoVerb::new);
        verbs.put("completion", CompletionVerb::new);
        return verbs;
    }

    /** picocli shows only the message of its own exception. */
    private static <T> T converted(String text, Function<String, T> parse) {
        try {
            return parse.apply(text);
        } catch (IllegalArgumentException e) {
            throw new TypeConversionException(e.getMessage());
        }
    }

    @Override
    public Integer call() {
        throw usage(
                "which verb? One of: server, token, publish, mount, umount, status, stats, info, replicas, warmup, doctor, demo,"
                        + " completion");
    }
}
