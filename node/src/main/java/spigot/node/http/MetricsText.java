package spigot.node.http;

import java.util.Locale;

/** Writes metrics in the text format of Prometheus 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats). Not safe for threads. */
public final class MetricsText {
    private final StringBuilder text = new StringBuilder(2048);

    /** A number that only grows; its name ends with {@code _total}. */
    public MetricsText counter(String name, String help, long value) {
        return sample(name, help, "counter", Long.toString(value));
    }

    /** A number that goes up and down. */
    public MetricsText gauge(String name, String help, long value) {
        return sample(name, help, "gauge", Long.toString(value));
    }

    public MetricsText gauge(String name, String help, double value) {
        return sample(name, help, "gauge", String.format(Locale.ROOT, "%.6f", value));
    }

    private MetricsText sample(String name, String help, String type, String value) {
        text.append("# HELP ")
                .append(name)
                .append(' ')
                .append(help.replace("\\", "\\\\").replace("\n", "\\n"));
        text.append("\n# TYPE ").append(name).append(' ').append(type).append('\n');
        text.append(name).append(' ').append(value).append('\n');
        return this;
    }

    /** What every process has. */
    public MetricsText process() {
        ProcessFigures figures = ProcessFigures.now();
        return gauge("process_resident_memory_bytes", "Resident memory.", figures.residentBytes())
                .gauge("process_open_fds", "Open file descriptors.", figures.openDescriptors())
                .gauge("process_max_fds", "Limit of open file descriptors.", figures.maxDescriptors())
                .gauge(
                        "process_start_time_seconds",
                        "Start of the process, seconds since 1970.",
                        figures.startSeconds())
                .gauge("jvm_heap_used_bytes", "Java heap in use.", figures.heapUsedBytes())
                .gauge("jvm_heap_max_bytes", "Limit of the Java heap.", figures.heapMaxBytes())
                .gauge("jvm_threads", "Platform threads.", (long) figures.threads());
    }

    @Override
    public String toString() {
        return text.toString();
    }
}
