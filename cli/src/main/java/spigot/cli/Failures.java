package spigot.cli;

import java.io.PrintWriter;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import spigot.node.NodeException;

/** Turns what went wrong into one line on standard error: {@code spigot VERB: what, why, what to do}. Exit codes: 1 failed, 2 usage. */
final class Failures implements IExecutionExceptionHandler, IParameterExceptionHandler {
    @Override
    public int handleExecutionException(Exception e, CommandLine command, ParseResult arguments) {
        PrintWriter err = command.getErr();
        boolean known = e instanceof NodeException || e instanceof java.io.IOException;
        String message = e instanceof InterruptedException
                ? "interrupted"
                : known ? NodeException.reason(e) : "a fault in Spigot: " + e + "; run it again with --debug";
        err.println(name(command) + ": " + message.strip());
        if (command.getCommand() instanceof Verb verb && verb.debug) {
            e.printStackTrace(err);
        }
        err.flush();
        return Verb.FAILED;
    }

    @Override
    public int handleParseException(ParameterException e, String[] arguments) {
        CommandLine command = e.getCommandLine();
        PrintWriter err = command.getErr();
        err.println(name(command) + ": " + String.valueOf(e.getMessage()).replaceAll("\\s*[\\r\\n]+\\s*", " ")
                + " (see '" + name(command) + " --help')");
        err.flush();
        return command.getCommandSpec().exitCodeOnInvalidInput();
    }

    private static String name(CommandLine command) {
        return command.getCommandSpec().qualifiedName(" ");
    }
}
