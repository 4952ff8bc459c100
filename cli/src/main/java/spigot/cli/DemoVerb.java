package spigot.cli;

import picocli.CommandLine.Command;

@Command(
        name = "demo",
        header = "Start a grid on this machine, mount it, let ordinary programs read, show what moved, clean up.",
        footer = "  spigot demo")
final class DemoVerb extends Verb {
    @Override
    public Integer call() throws Exception {
        throw new spigot.node.NodeException("the demo is not there in this build");
    }
}
