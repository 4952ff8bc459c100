package spigot.node.control;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import spigot.linux.Processes;

/** Where the socket of a process lies. The path of a Unix domain socket is short (unix(7): 108 bytes), that of a directory need not be. */
public final class ControlSocket {
    private static final int MAX_PATH_BYTES = 100;

    private ControlSocket() {}

    /** {@code wanted}, or when that is too long a path below a private directory of this user in /tmp, the same each time. */
    public static Path at(Path wanted) throws IOException {
        Path absolute = wanted.toAbsolutePath().normalize();
        if (absolute.toString().getBytes(StandardCharsets.UTF_8).length <= MAX_PATH_BYTES) {
            return absolute;
        }
        return privateDirectory().resolve(shortHash(absolute.toString()) + ".sock");
    }

    /** 16 hexadecimal digits, to name a file after a path. */
    public static String shortHash(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest, 0, 8);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    private static Path privateDirectory() throws IOException {
        Path directory = Path.of("/tmp/spigot-" + Processes.effectiveUserId());
        try {
            Files.createDirectory(
                    directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        } catch (FileAlreadyExistsException e) {
            Map<String, Object> status = Files.readAttributes(directory, "unix:uid,mode", LinkOption.NOFOLLOW_LINKS);
            boolean mine = status.get("uid") instanceof Integer uid && uid == Processes.effectiveUserId();
            boolean closed = status.get("mode") instanceof Integer mode && (mode & 0170077) == 0040000;
            if (!mine || !closed) {
                throw new IOException(
                        directory + " is not a private directory of this user: remove it, or use a shorter path", e);
            }
        }
        return directory;
    }
}
