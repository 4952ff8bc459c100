package spigot.mount;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import spigot.linux.Descriptor;

/** An open file of the source tree. */
record LocalFile(Descriptor descriptor, FileChannel channel) implements AutoCloseable {
    static LocalFile of(Descriptor descriptor) throws IOException {
        // Through /proc, as the name need not be one that a Path can hold.
        return new LocalFile(
                descriptor, FileChannel.open(Path.of(descriptor.procPath()), StandardOpenOption.READ));
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        descriptor.close();
    }
}
