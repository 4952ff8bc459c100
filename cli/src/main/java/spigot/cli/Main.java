package spigot.cli;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.function.Function;
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
            "  spigot token create --role node --data /srv/grid           # prints a token",
            "  spigot mount HOST:7440 /mnt/grid --token TOKEN             # on another machine",
            "",
            "'spigot VERB --help' tells more. State of the user's side lies in $SPIGOT_HOME (default ~/.spigot)."
        },
        subcommands = {
            ServerVerb.class,
            TokenVerb.class,
            PublishVerb.class,
            MountVerb.class,
            UmountVerb.class,
            StatusVerb.class,
            StatsVerb.class,
            InfoVerb.class,
            ReplicasVerb.class,
            WarmupVerb.class,
            DoctorVerb.class,
            DemoVerb.class,
            CompletionVerb.class
        })
public final class Main extends Verb {
    public static void main(String[] arguments) {
        if (System.getProperty(LogConfigurator.LEVEL) == null) {
            System.setProperty(LogConfigurator.LEVEL, System.getenv().getOrDefault("SPIGOT_LOG", "WARN"));
        }
        PrintWriter out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
        PrintWriter err = new PrintWriter(System.err, true, StandardCharsets.UTF_8);
        int code = commandLine().setOut(out).setErr(err).execute(arguments);
        System.out.flush();
        System.exit(code);
    }

    /** The command line as {@link #main} uses it. */
    static CommandLine commandLine() {
        Failures failures = new Failures();
        return new CommandLine(new Main())
                .setExecutionExceptionHandler(failures)
                .setParameterExceptionHandler(failures)
                .setExpandAtFiles(false)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setAbbreviatedOptionsAllowed(false)
                .registerConverter(Address.class, text -> converted(text, Address::parse))
                .registerConverter(Publication.class, text -> converted(text, Publication::parse));
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
