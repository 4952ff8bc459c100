package spigot.transport.identity;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import spigot.model.RawBytes;

/** Files of PEM blocks (RFC 7468) that only their owner may read, replaced as a whole or not at all. */
final class Pem {
    static final String KEY = "PRIVATE KEY";
    static final String CERTIFICATE = "CERTIFICATE";

    private static final int MAX_FILE_BYTES = 64 << 10;
    private static final int LINE_CHARACTERS = 64;
    private static final Pattern BLOCK =
            Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----\\s([A-Za-z0-9+/=\\s]*)-----END \\1-----");

    private Pem() {}

    record Block(String label, RawBytes content) {
        Block(String label, byte[] der) {
            this(label, RawBytes.copyOf(der));
        }

        byte[] der() {
            return content.toArray();
        }
    }

    static List<Block> read(Path file) throws IOException {
        if (Files.size(file) > MAX_FILE_BYTES) {
            throw new IOException(file + " is too large for keys and certificates");
        }
        List<Block> blocks = new ArrayList<>();
        Matcher matcher = BLOCK.matcher(Files.readString(file, StandardCharsets.US_ASCII));
        while (matcher.find()) {
            try {
                blocks.add(new Block(matcher.group(1), Base64.getMimeDecoder().decode(matcher.group(2))));
            } catch (IllegalArgumentException e) {
                throw new IOException(file + " is damaged: a PEM block is not base64", e);
            }
        }
        return blocks;
    }

    /** Writes beside the file, syncs, and renames, so that a crash leaves the old or the new content. */
    static void write(Path file, List<Block> blocks) throws IOException {
        StringBuilder text = new StringBuilder();
        Base64.Encoder encoder = Base64.getMimeEncoder(LINE_CHARACTERS, new byte[] {'\n'});
        for (Block block : blocks) {
            text.append("-----BEGIN ").append(block.label()).append("-----\n");
            text.append(encoder.encodeToString(block.der()));
            text.append("\n-----END ").append(block.label()).append("-----\n");
        }
        Path directory = directoryOf(file);
        Files.createDirectories(directory);
        Path temporary = Files.createTempFile(
                directory,
                file.getFileName() + ".",
                ".new",
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        try {
            try (FileChannel channel = FileChannel.open(
                    temporary, Set.of(StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING))) {
                ByteBuffer bytes = ByteBuffer.wrap(text.toString().getBytes(StandardCharsets.US_ASCII));
                while (bytes.hasRemaining()) {
                    channel.write(bytes);
                }
                channel.force(true);
            }
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(temporary);
        }
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    private static Path directoryOf(Path file) {
        Path parent = file.toAbsolutePath().getParent();
        if (parent == null) {
            throw new IllegalArgumentException(file + " is no file");
        }
        return parent;
    }
}
