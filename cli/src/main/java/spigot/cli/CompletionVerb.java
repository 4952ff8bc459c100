package spigot.cli;

import picocli.AutoComplete;
import picocli.CommandLine.Command;

@Command(
        name = "completion",
        header = "Print a completion script for bash and zsh.",
        footer = {
            "  source <(spigot completion)",
            "  spigot completion > /etc/bash_completion.d/spigot",
        })
final class CompletionVerb extends Verb {
    @Override
    public Integer call() {
        print(AutoComplete.bash("spigot", Main.commandLine()));
        return OK;
    }
}
