package spigot.model;

/** One version of one file: what its bytes are is settled for ever, so that they may be cached under this name. */
public record FileVersion(FileId file, Version version) {
    @Override
    public String toString() {
        return file + "@" + version;
    }
}
