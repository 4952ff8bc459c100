package spigot.replica;

import com.google.protobuf.ByteString;
import java.util.List;
import org.jspecify.annotations.Nullable;
import spigot.linux.DirectoryEntries;
import spigot.linux.Errno;
import spigot.linux.ExtendedAttributes;
import spigot.linux.FileSettings;
import spigot.model.FileId;
import spigot.model.FileKind;
import spigot.model.FileName;
import spigot.model.RawBytes;
import spigot.transport.FailureException;
import spigot.transport.Messages;
import spigot.transport.wire.Caller;
import spigot.transport.wire.OperationRequest;

/** What a client asks to be done to names or attributes, checked as far as that goes without looking at the tree. Pure. */
sealed interface Operation {
    /** PATH_MAX of Linux less the NUL. */
    int MAX_TARGET_BYTES = 4095;

    int MODE = 07777;
    String CAPABILITY = "security.capability";

    /** A name that is to lead to something new. */
    record Make(
            FileId directory, RawBytes name, FileKind kind, int mode, int device, RawBytes target, boolean exclusive)
            implements Operation {}

    record MakeLink(FileId file, FileId directory, RawBytes name) implements Operation {}

    /** @param kindIsDirectory rmdir(2), else unlink(2) */
    record Remove(FileId directory, RawBytes name, boolean kindIsDirectory) implements Operation {}

    record Rename(
            FileId directory, RawBytes name, FileId toDirectory, RawBytes toName, DirectoryEntries.Renaming renaming)
            implements Operation {}

    /** What stays as it is: -1 of mode, owner, group and size, OMIT of the times. */
    record Set(FileId file, int mode, int uid, int gid, long size, long accessedNanos, long modifiedNanos)
            implements Operation {}

    /** @param value null: the attribute is removed */
    record SetXattr(FileId file, RawBytes name, @Nullable RawBytes value, ExtendedAttributes.Setting setting)
            implements Operation {}

    /** Who asks. */
    record Who(int uid, int gid, List<Integer> groups, int umask) {
        static Who of(Caller caller) {
            return new Who(caller.getUid(), caller.getGid(), caller.getGroupsList(), caller.getUmask() & 0777);
        }

        boolean isIn(int group) {
            return gid == group || groups.contains(group);
        }
    }

    /** @throws FailureException IO_ERROR with the error number that the system call would give, or BAD_REQUEST */
    static Operation of(OperationRequest request) throws FailureException {
        return switch (request.getOperationCase()) {
            case CREATE -> {
                var create = request.getCreate();
                yield new Make(
                        Messages.fileId(create.getDirectory()),
                        name(create.getName()),
                        FileKind.REGULAR,
                        mode(create.getMode()),
                        0,
                        RawBytes.EMPTY,
                        create.getExclusive());
            }
            case MAKE_DIRECTORY -> {
                var make = request.getMakeDirectory();
                yield made(make.getDirectory(), make.getName(), FileKind.DIRECTORY, make.getMode(), 0, RawBytes.EMPTY);
            }
            case MAKE_NODE -> {
                var make = request.getMakeNode();
                FileKind kind = Messages.kind(make.getKind());
                if (kind == FileKind.DIRECTORY || kind == FileKind.SYMLINK) {
                    throw refused(Errno.EINVAL, "mknod makes no " + kind);
                }
                yield made(make.getDirectory(), make.getName(), kind, make.getMode(), make.getDevice(), RawBytes.EMPTY);
            }
            case MAKE_SYMLINK -> {
                var make = request.getMakeSymlink();
                yield made(make.getDirectory(), make.getName(), FileKind.SYMLINK, 0777, 0, target(make.getTarget()));
            }
            case MAKE_LINK -> {
                var link = request.getMakeLink();
                yield new MakeLink(
                        Messages.fileId(link.getId()), Messages.fileId(link.getDirectory()), name(link.getName()));
            }
            case UNLINK ->
                new Remove(
                        Messages.fileId(request.getUnlink().getDirectory()),
                        name(request.getUnlink().getName()),
                        false);
            case REMOVE_DIRECTORY ->
                new Remove(
                        Messages.fileId(request.getRemoveDirectory().getDirectory()),
                        name(request.getRemoveDirectory().getName()),
                        true);
            case RENAME -> {
                var rename = request.getRename();
                yield new Rename(
                        Messages.fileId(rename.getDirectory()),
                        name(rename.getName()),
                        Messages.fileId(rename.getToDirectory()),
                        name(rename.getToName()),
                        renaming(rename.getFlags()));
            }
            case SET_ATTRIBUTES -> set(request.getSetAttributes());
            case SET_XATTR -> {
                var set = request.getSetXattr();
                yield new SetXattr(
                        Messages.fileId(set.getId()),
                        attribute(set.getName()),
                        Messages.raw(set.getValue()),
                        setting(set.getFlags()));
            }
            case REMOVE_XATTR ->
                new SetXattr(
                        Messages.fileId(request.getRemoveXattr().getId()),
                        attribute(request.getRemoveXattr().getName()),
                        null,
                        ExtendedAttributes.Setting.ALWAYS);
            case OPERATION_NOT_SET -> throw Messages.bad("operation", "none");
        };
    }

    private static Make made(
            ByteString directory, ByteString name, FileKind kind, int mode, int device, RawBytes target)
            throws FailureException {
        return new Make(Messages.fileId(directory), name(name), kind, mode(mode), device, target, true);
    }

    private static Set set(OperationRequest.SetAttributes set) throws FailureException {
        if (set.hasSize() && set.getSize() < 0) {
            throw refused(Errno.EFBIG, "a size of " + Long.toUnsignedString(set.getSize()));
        }
        return new Set(
                Messages.fileId(set.getId()),
                set.hasMode() ? mode(set.getMode()) : -1,
                set.hasUid() ? set.getUid() : FileSettings.UNCHANGED,
                set.hasGid() ? set.getGid() : FileSettings.UNCHANGED,
                set.hasSize() ? set.getSize() : -1,
                time(set.hasAccessedNanos(), set.getAccessedNanos(), set.getAccessedNow()),
                time(set.hasModifiedNanos(), set.getModifiedNanos(), set.getModifiedNow()));
    }

    private static long time(boolean given, long nanos, boolean now) {
        if (now) {
            return FileSettings.NOW;
        }
        return given ? nanos : FileSettings.OMIT;
    }

    private static int mode(int mode) throws FailureException {
        if ((mode & ~MODE) != 0) {
            throw Messages.bad("mode", Integer.toUnsignedString(mode, 8));
        }
        return mode;
    }

    private static RawBytes name(ByteString wire) throws FailureException {
        if (wire.size() > FileName.MAX_BYTES) {
            throw refused(Errno.ENAMETOOLONG, "a name of " + wire.size() + " bytes");
        }
        try {
            return FileName.of(wire.toByteArray()).bytes();
        } catch (IllegalArgumentException e) {
            throw refused(Errno.EINVAL, String.valueOf(e.getMessage()));
        }
    }

    private static RawBytes target(ByteString wire) throws FailureException {
        if (wire.isEmpty()) {
            throw refused(Errno.ENOENT, "a symbolic link to nothing");
        }
        if (wire.size() > MAX_TARGET_BYTES) {
            throw refused(Errno.ENAMETOOLONG, "a symbolic link of " + wire.size() + " bytes");
        }
        return text(wire, "symbolic link");
    }

    private static RawBytes text(ByteString wire, String what) throws FailureException {
        for (byte each : wire) {
            if (each == 0) {
                throw refused(Errno.EINVAL, "a NUL in a " + what);
            }
        }
        return Messages.raw(wire);
    }

    /** Those that may be read through a mount as well. */
    private static RawBytes attribute(ByteString wire) throws FailureException {
        if (wire.size() > FileName.MAX_BYTES) {
            throw refused(Errno.ERANGE, "the name of an extended attribute has " + wire.size() + " bytes");
        }
        String name = wire.toString(java.nio.charset.StandardCharsets.ISO_8859_1);
        boolean known = (name.startsWith("user.") && name.length() > "user.".length())
                || name.equals(CAPABILITY)
                || name.equals(ExtendedAttributes.ACCESS_LIST)
                || name.equals(ExtendedAttributes.DEFAULT_LIST);
        if (!known) {
            throw refused(Errno.EOPNOTSUPP, "extended attribute '" + wire.toStringUtf8() + "' is not published");
        }
        return text(wire, "name of an extended attribute");
    }

    private static ExtendedAttributes.Setting setting(int flags) throws FailureException {
        return switch (flags) {
            case 0 -> ExtendedAttributes.Setting.ALWAYS;
            case 1 -> ExtendedAttributes.Setting.ONLY_NEW;
            case 2 -> ExtendedAttributes.Setting.ONLY_EXISTING;
            default -> throw refused(Errno.EINVAL, "flags of setxattr: " + flags);
        };
    }

    private static DirectoryEntries.Renaming renaming(int flags) throws FailureException {
        return switch (flags) {
            case 0 -> DirectoryEntries.Renaming.REPLACE;
            case 1 -> DirectoryEntries.Renaming.NO_REPLACE;
            case 2 -> DirectoryEntries.Renaming.EXCHANGE;
            // Whiteouts are for file systems below an overlay on the same machine.
            default -> throw refused(Errno.EINVAL, "flags of renameat2: " + flags);
        };
    }

    private static FailureException refused(int errno, String what) {
        return TreeErrors.failure(what, errno);
    }
}
