package spigot.catalog.server;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.locks.ReentrantLock;
import org.rocksdb.NativeLibraryLoader;

/**
 * Loads RocksDB's native library, once per process. It has to lie in a file while it is loaded; that is put into the server's own
 * directory and removed at once, as RocksDB would leave 17 MB in /tmp for each process that is killed.
 */
public final class RocksLibrary {
    private static final ReentrantLock LOADING = new ReentrantLock();
    private static boolean loaded;

    private RocksLibrary() {}

    /** @param directory where the library may lie for a moment */
    public static void load(Path directory) throws IOException {
        LOADING.lock();
        try {
            if (loaded) {
                return;
            }
            Path temporary = Files.createTempDirectory(directory, "native");
            try {
                NativeLibraryLoader.getInstance().loadLibrary(temporary.toString());
                loaded = true;
            } finally {
                try (DirectoryStream<Path> files = Files.newDirectoryStream(temporary)) {
                    for (Path file : files) {
                        Files.delete(file);
                    }
                }
                Files.delete(temporary);
            }
        } finally {
            LOADING.unlock();
        }
    }
}
