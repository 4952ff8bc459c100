package spigot.cache.live;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.model.FileId;
import spigot.transport.wire.TokenChange;

/** Where bytes are kept that a program has written and that could not be committed: one file for each piece, named by file and offset. Safe for any thread. */
final class LostAndFound {
    private static final Logger log = LoggerFactory.getLogger(LostAndFound.class);

    private final Path directory;

    LostAndFound(Path directory) {
        this.directory = directory;
    }

    Path directory() {
        return directory;
    }

    void keep(FileId file, TokenChange change) throws IOException {
        for (TokenChange.Piece piece : change.getPiecesList()) {
            keep(file, piece.getOffset(), piece.getData().asReadOnlyByteBuffer());
        }
    }

    /** @throws IOException when they could not be kept: then they are only where they were */
    void keep(FileId file, long offset, ByteBuffer bytes) throws IOException {
        Files.createDirectories(directory);
        for (int again = 0; ; again++) {
            Path to = directory.resolve(file + "-" + offset + (again == 0 ? "" : "." + again));
            if (Files.exists(to)) {
                continue;
            }
            try (FileChannel channel = FileChannel.open(to, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                while (bytes.hasRemaining()) {
                    channel.write(bytes);
                }
            }
            log.warn("event=written_bytes_not_committed file={} offset={} kept_in=\"{}\"", file, offset, to);
            return;
        }
    }
}
