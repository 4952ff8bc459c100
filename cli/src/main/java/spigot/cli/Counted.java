package spigot.cli;

/** A number with what is counted, in the singular for one. */
final class Counted {
    private Counted() {}

    static String of(long count, String one, String many) {
        return "%,d %s".formatted(count, count == 1 ? one : many);
    }

    static String files(long count) {
        return of(count, "file", "files");
    }

    static String entries(long count) {
        return of(count, "entry", "entries");
    }
}
