package spigot.replica;

import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.file.Path;
import spigot.linux.FileStatus;
import spigot.linux.RootDirectory;
import spigot.model.RawBytes;

/** Refuses sources that would make a server publish itself. */
final class SourceCheck {
    private SourceCheck() {}

    /**
     * @param data the server's own directory
     * @return the source's path without symbolic links, as bytes
     * @throws IOException when it does not exist, holds the server's data or lies in them, or holds or lies in a mount of a grid
     */
    static RawBytes check(Path source, Path data) throws IOException {
        Path real = source.toRealPath();
        Path realData = data.toRealPath();
        if (realData.startsWith(real) || real.startsWith(realData)) {
            throw new IOException("can't publish " + real + ": this server keeps its own data in " + realData
                    + "; publish another directory, or give the server another --data");
        }
        RawBytes raw = bytes(real);
        SpigotMounts mounts = SpigotMounts.now();
        for (RawBytes point : mounts.points().values()) {
            if (isBelow(point.toArray(), raw.toArray())) {
                throw new IOException("can't publish " + real + ": a grid is mounted at " + point
                        + "; unmount it or publish another directory");
            }
        }
        Path parent = real.getParent();
        if (parent != null && mounts.contains(mountOf(bytes(parent)))) {
            throw new IOException("can't publish " + real + ": it lies in a mount of a grid");
        }
        return raw;
    }

    private static long mountOf(RawBytes directory) throws IOException {
        try (RootDirectory opened = RootDirectory.open(directory.toArray())) {
            FileStatus status = opened.status();
            return status.mountId();
        }
    }

    private static boolean isBelow(byte[] path, byte[] directory) {
        boolean starts = path.length >= directory.length && IndexCodec.startsWith(path, directory);
        return starts
                && (path.length == directory.length
                        || directory[directory.length - 1] == '/'
                        || path[directory.length] == '/');
    }

    /** As the JDK makes bytes of a path that came from the command line. */
    private static RawBytes bytes(Path path) {
        Charset charset = Charset.forName(System.getProperty("sun.jnu.encoding", "UTF-8"));
        return RawBytes.copyOf(path.toString().getBytes(charset));
    }
}
