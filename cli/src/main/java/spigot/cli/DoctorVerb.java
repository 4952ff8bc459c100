package spigot.cli;

import java.time.Duration;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import spigot.node.Doctor;
import spigot.node.home.SpigotHome;

@Command(
        name = "doctor",
        header = "Check what Spigot needs on this machine, and the health of its mounts.",
        description =
                "Every check is bounded in time; mounts are never touched, so that a wedged one can't hold it up. Exit code 1 when a check failed.",
        footer = "  spigot doctor")
final class DoctorVerb extends Verb {
    @Option(
            names = "--timeout",
            paramLabel = "TIME",
            defaultValue = "5s",
            converter = TimeSpan.class,
            description = "For each check (default: ${DEFAULT-VALUE}).")
    Duration timeout = Duration.ofSeconds(5);

    @Override
    public Integer call() {
        boolean well = true;
        for (Doctor.Finding finding : new Doctor(SpigotHome.fromEnvironment(), timeout).examine()) {
            print(String.format(
                    "%-7s %s", finding.verdict().name().toLowerCase(java.util.Locale.ROOT), finding.text()));
            well &= finding.verdict() != Doctor.Verdict.FAILED;
        }
        return well ? OK : FAILED;
    }
}
