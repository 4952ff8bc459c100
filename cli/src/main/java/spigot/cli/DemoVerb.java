package spigot.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import spigot.cli.demo.Demo;

@Command(
        name = "demo",
        header = "Start a grid on this machine, mount it, let ordinary programs read, show what moved, clean up.",
        description = {
            "Makes about 350 MiB of sample data in a temporary directory, starts two replica servers (the first with the catalog) on free ports of "
                    + "127.0.0.1, mounts, runs programs on the mount and on the original files, compares what they say, and prints a table. "
                    + "Everything is removed at the end, also after Ctrl-C."
        },
        footer = "  spigot demo")
final class DemoVerb extends Verb {
    @Option(names = "--keep", description = "Leave the grid running and mounted; the last lines tell how to end it.")
    boolean keep;

    @Override
    public Integer call() throws Exception {
        try (Demo demo = new Demo(this::print)) {
            boolean right = demo.run();
            if (keep) {
                demo.keep();
            }
            return right ? OK : FAILED;
        } catch (InterruptedException e) {
            // Whoever did that knows it, and all is removed by now.
            return FAILED;
        }
    }
}
