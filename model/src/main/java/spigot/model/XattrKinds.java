package spigot.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Of which kinds the extended attributes of a file are: enough to answer most questions for one without asking its home. The kernel
 * and {@code ls} ask for access lists and capabilities of each file that they meet; hardly one has any, and many have others.
 *
 * <p>Only what is published counts, {@link #isPublished}. Stored and sent as its bits, whose meaning therefore stays.
 *
 * @param bits 0: the file has none; 1: it has some, of which kinds is not known
 */
public record XattrKinds(int bits) {
    private static final int NOT_KNOWN = 1;
    private static final int USER = 2;
    private static final int ACCESS_LIST = 4;
    private static final int DEFAULT_LIST = 8;
    private static final int CAPABILITY = 16;
    private static final int ALL = USER | ACCESS_LIST | DEFAULT_LIST | CAPABILITY;

    /** The names of xattr(7), acl(5) and capabilities(7). */
    private static final RawBytes USER_PREFIX = RawBytes.ofUtf8("user.");

    private static final List<Single> SINGLES = List.of(
            new Single(RawBytes.ofUtf8("system.posix_acl_access"), ACCESS_LIST),
            new Single(RawBytes.ofUtf8("system.posix_acl_default"), DEFAULT_LIST),
            new Single(RawBytes.ofUtf8("security.capability"), CAPABILITY));

    public static final XattrKinds NONE = new XattrKinds(0);

    /** Some: what was noted before the kinds were. */
    public static final XattrKinds NOT_KNOWN_WHICH = new XattrKinds(NOT_KNOWN);

    /** A kind that only one name is of. */
    private record Single(RawBytes name, int bit) {}

    public XattrKinds {
        // A kind of a later release: there is something, and that is all that can be said.
        bits = (bits & ~ALL) == 0 ? bits : NOT_KNOWN;
    }

    /** @param names all that the file has; what is not published is left out */
    public static XattrKinds of(Iterable<byte[]> names) {
        int bits = 0;
        for (byte[] name : names) {
            bits |= bit(RawBytes.copyOf(name));
        }
        return new XattrKinds(bits);
    }

    /** Whether an attribute of this name is shown to the grid: those of programs, access lists and capabilities. */
    public static boolean isPublished(RawBytes name) {
        return bit(name) != 0;
    }

    private static int bit(RawBytes name) {
        if (name.startsWith(USER_PREFIX)) {
            return USER;
        }
        for (Single single : SINGLES) {
            if (name.equals(single.name)) {
                return single.bit;
            }
        }
        return 0;
    }

    public boolean isEmpty() {
        return bits == 0;
    }

    public boolean isKnown() {
        return bits != NOT_KNOWN;
    }

    /** @return false when the file has certainly no attribute of this name */
    public boolean mayHave(RawBytes name) {
        int bit = bit(name);
        return isKnown() ? (bits & bit) != 0 : bit != 0;
    }

    /** All names that the file has, if its kinds tell them. */
    public Optional<List<RawBytes>> names() {
        if (!isKnown() || (bits & USER) != 0) {
            return Optional.empty();
        }
        List<RawBytes> names = new ArrayList<>(SINGLES.size());
        for (Single single : SINGLES) {
            if ((bits & single.bit) != 0) {
                names.add(single.name);
            }
        }
        return Optional.of(List.copyOf(names));
    }
}
