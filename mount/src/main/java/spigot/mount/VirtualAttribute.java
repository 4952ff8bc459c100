package spigot.mount;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The extended attributes that tell what Spigot knows of a file. They are answered by name and not listed: {@code cp -a},
 * {@code tar --xattrs} and {@code rsync -X} would copy them.
 */
enum VirtualAttribute {
    /** 32 hexadecimal digits. */
    FILE_ID("user.spigot.file_id"),
    /** EPOCH.INDEX, of the open file or else of the catalog's record. */
    VERSION("user.spigot.version"),
    /** The id of the home; of a directory there is none. */
    HOME("user.spigot.home"),
    /** One line a replica: server, site, state; asks the catalog. */
    REPLICAS("user.spigot.replicas"),
    /** 1 when the answer comes from a cache whose lease has run out because the catalog can't be reached, else 0. */
    STALE("user.spigot.stale"),
    /** Why the last operation on this file failed; there is none when none did. */
    ERROR("user.spigot.error");

    private static final byte[] PREFIX = "user.spigot.".getBytes(StandardCharsets.US_ASCII);

    private final String attributeName;

    VirtualAttribute(String name) {
        attributeName = name;
    }

    /** The attribute of that name, or null; does not allocate for names outside of user.spigot. */
    static @Nullable VirtualAttribute named(byte[] name) {
        if (!isReserved(name)) {
            return null;
        }
        String text = new String(name, StandardCharsets.ISO_8859_1);
        for (VirtualAttribute attribute : values()) {
            if (attribute.attributeName.equals(text)) {
                return attribute;
            }
        }
        return null;
    }

    /** Whether the name lies in user.spigot, where files have no attributes of their own. */
    static boolean isReserved(byte[] name) {
        return name.length > PREFIX.length && Arrays.equals(name, 0, PREFIX.length, PREFIX, 0, PREFIX.length);
    }
}
