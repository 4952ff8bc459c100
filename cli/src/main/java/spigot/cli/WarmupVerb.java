package spigot.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import spigot.node.Json;
import spigot.node.home.SpigotHome;
import spigot.node.mount.LocalMounts;

@Command(
        name = "warmup",
        header = "Bring files into the cache, look what is there, or drop it.",
        description = "Directories are taken with all that is below them. Without an option the files are fetched.",
        footer = {
            "  spigot warmup /mnt/grid/data/run7.h5",
            "  spigot warmup --check /mnt/grid/data     # what is cached of it",
            "  spigot warmup --pin /mnt/grid/reference  # fetch, and keep whatever happens"
        })
final class WarmupVerb extends Verb {
    private static final long MIB = 1L << 20;

    @Parameters(arity = "1..*", paramLabel = "PATH", description = "Files or directories below a mount.")
    List<String> paths = new ArrayList<>();

    @ArgGroup
    @Nullable
    Mode mode;

    /** At most one of them. */
    static final class Mode {
        @Option(names = "--check", description = "Only say how much of them is cached.")
        boolean check;

        @Option(names = "--evict", description = "Drop what is cached of them, pinned or not.")
        boolean evict;

        @Option(names = "--pin", description = "Fetch them and never drop them for other files, until --evict.")
        boolean pin;

        String word() {
            return check ? "check" : evict ? "evict" : pin ? "pin" : "fetch";
        }
    }

    @Override
    public Integer call() throws Exception {
        String word = mode == null ? "fetch" : mode.word();
        LocalMounts mounts = new LocalMounts(SpigotHome.fromEnvironment());
        long failed = 0;
        for (String path : paths) {
            JsonNode done;
            try (Bar bar = new Bar(path)) {
                done = mounts.askAbout(path, Json.object().put("verb", "warmup").put("mode", word), bar::show);
            }
            long total = done.path("bytes").asLong();
            long cached = done.path("cached_bytes").asLong();
            failed += done.path("failed").asLong();
            print("%s: %s, %s of %s cached (%.0f %%)%s"
                    .formatted(
                            path,
                            Counted.files(done.path("files").asLong()),
                            ByteSize.format(cached),
                            ByteSize.format(total),
                            total == 0 ? 100.0 : 100.0 * cached / total,
                            done.path("pinned_files").asLong() > 0
                                    ? ", " + done.path("pinned_files").asLong() + " pinned"
                                    : ""));
            for (JsonNode error : done.path("errors")) {
                note("spigot warmup: " + error.asText());
            }
        }
        return failed == 0 ? OK : FAILED;
    }

    /** A progress bar on a terminal, nothing elsewhere. Made when the first progress comes, as its classes take time to load. */
    private static final class Bar implements AutoCloseable {
        private final String path;
        private final boolean terminal =
                System.console() != null && System.console().isTerminal();
        private @Nullable ProgressBar bar;

        Bar(String path) {
            this.path = path;
        }

        void show(JsonNode state) {
            if (!terminal) {
                return;
            }
            ProgressBar shown = bar;
            if (shown == null) {
                shown = new ProgressBarBuilder()
                        .setTaskName(path)
                        .setUnit("MiB", MIB)
                        .setStyle(ProgressBarStyle.ASCII)
                        .setInitialMax(state.path("bytes").asLong())
                        .showSpeed()
                        .build();
                bar = shown;
            }
            shown.maxHint(state.path("bytes").asLong());
            shown.stepTo(state.path("cached_bytes").asLong());
        }

        @Override
        public void close() {
            if (bar != null) {
                bar.close();
            }
        }
    }
}
