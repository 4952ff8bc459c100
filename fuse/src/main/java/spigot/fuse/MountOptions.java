package spigot.fuse;

import java.util.Objects;

/**
 * How to mount. Start from {@link #defaults} and change what should differ.
 *
 * @param fileSystemName the first column of {@code df}
 * @param subtype the type is shown as {@code fuse.SUBTYPE}
 * @param workers threads that read and answer requests, each with two buffers of {@code maxWriteBytes}
 * @param maxWriteBytes the largest READ and WRITE, a multiple of 4096; above 1 MiB only where {@code fs.fuse.max_pages_limit} allows
 * @param readAheadBytes how far the kernel reads ahead; more than its 128 KiB only as root
 * @param maxBackground asynchronous requests (read-ahead, writing back) that the kernel has in flight at most
 * @param maxDetached requests that may wait for an answer away from their worker; one more is answered with ENOMEM
 * @param initFlags what to agree on with the kernel, bits of {@link InitFlags}
 * @param allowOther whether users other than the mounting one may enter; for ordinary users /etc/fuse.conf must say user_allow_other
 * @param defaultPermissions whether the kernel checks access by owner and mode
 * @param readOnly whether the kernel refuses all changes by itself
 * @param setUserIdAndDevices whether set-user-id programs and device files count; root only
 */
public record MountOptions(
        String fileSystemName,
        String subtype,
        int workers,
        int maxWriteBytes,
        int readAheadBytes,
        int maxBackground,
        int maxDetached,
        long initFlags,
        boolean allowOther,
        boolean defaultPermissions,
        boolean readOnly,
        boolean setUserIdAndDevices) {
    private static final int PAGE = 4096;

    public MountOptions {
        Objects.requireNonNull(fileSystemName);
        Objects.requireNonNull(subtype);
        require(!fileSystemName.isEmpty() && fileSystemName.indexOf('\0') < 0, "fileSystemName is empty");
        require(subtype.matches("[a-zA-Z0-9_-]+"), "subtype " + subtype);
        require(workers >= 1 && workers <= 64, "workers " + workers);
        require(
                maxWriteBytes >= PAGE && maxWriteBytes <= 16 << 20 && maxWriteBytes % PAGE == 0,
                "maxWriteBytes " + maxWriteBytes);
        require(readAheadBytes >= 0 && readAheadBytes <= 64 << 20, "readAheadBytes " + readAheadBytes);
        require(maxBackground >= 1 && maxBackground <= 65535, "maxBackground " + maxBackground);
        require(maxDetached >= 1, "maxDetached " + maxDetached);
    }

    /** 1 MiB requests and read-ahead, a worker for each processor (2 to 8), permissions checked by the kernel, for the mounting user only. */
    public static MountOptions defaults() {
        int processors = Runtime.getRuntime().availableProcessors();
        return new MountOptions(
                "spigot",
                "spigot",
                Math.clamp(processors, 2, 8),
                1 << 20,
                1 << 20,
                64,
                1 << 14,
                InitFlags.STANDARD,
                false,
                true,
                false,
                false);
    }

    public MountOptions withFileSystemName(String name) {
        return new MountOptions(
                name,
                subtype,
                workers,
                maxWriteBytes,
                readAheadBytes,
                maxBackground,
                maxDetached,
                initFlags,
                allowOther,
                defaultPermissions,
                readOnly,
                setUserIdAndDevices);
    }

    public MountOptions withSubtype(String type) {
        return new MountOptions(
                fileSystemName,
                type,
                workers,
                maxWriteBytes,
                readAheadBytes,
                maxBackground,
                maxDetached,
                initFlags,
                allowOther,
                defaultPermissions,
                readOnly,
                setUserIdAndDevices);
    }

    public MountOptions withWorkers(int count) {
        return new MountOptions(
                fileSystemName,
                subtype,
                count,
                maxWriteBytes,
                readAheadBytes,
                maxBackground,
                maxDetached,
                initFlags,
                allowOther,
                defaultPermissions,
                readOnly,
                setUserIdAndDevices);
    }

    public MountOptions withMaxWriteBytes(int bytes) {
        return new MountOptions(
                fileSystemName,
                subtype,
                workers,
                bytes,
                readAheadBytes,
                maxBackground,
                maxDetached,
                initFlags,
                allowOther,
                defaultPermissions,
                readOnly,
                setUserIdAndDevices);
    }

    public MountOptions withReadAheadBytes(int bytes) {
        return new MountOptions(
                fileSystemName,
                subtype,
                workers,
                maxWriteBytes,
                bytes,
                maxBackground,
                maxDetached,
                initFlags,
                allowOther,
                defaultPermissions,
                readOnly,
                setUserIdAndDevices);
    }

    public MountOptions withMaxDetached(int count) {
        return new MountOptions(
                fileSystemName,
                subtype,
                workers,
                maxWriteBytes,
                readAheadBytes,
                maxBackground,
                count,
                initFlags,
                allowOther,
                defaultPermissions,
                readOnly,
                setUserIdAndDevices);
    }

    public MountOptions withInitFlags(long flags) {
        return new MountOptions(
                fileSystemName,
                subtype,
                workers,
                maxWriteBytes,
                readAheadBytes,
                maxBackground,
                maxDetached,
                flags,
                allowOther,
                defaultPermissions,
                readOnly,
                setUserIdAndDevices);
    }

    public MountOptions withAllowOther(boolean allow) {
        return new MountOptions(
                fileSystemName,
                subtype,
                workers,
                maxWriteBytes,
                readAheadBytes,
                maxBackground,
                maxDetached,
                initFlags,
                allow,
                defaultPermissions,
                readOnly,
                setUserIdAndDevices);
    }

    public MountOptions withDefaultPermissions(boolean check) {
        return new MountOptions(
                fileSystemName,
                subtype,
                workers,
                maxWriteBytes,
                readAheadBytes,
                maxBackground,
                maxDetached,
                initFlags,
                allowOther,
                check,
                readOnly,
                setUserIdAndDevices);
    }

    public MountOptions withReadOnly(boolean refuseChanges) {
        return new MountOptions(
                fileSystemName,
                subtype,
                workers,
                maxWriteBytes,
                readAheadBytes,
                maxBackground,
                maxDetached,
                initFlags,
                allowOther,
                defaultPermissions,
                refuseChanges,
                setUserIdAndDevices);
    }

    public MountOptions withSetUserIdAndDevices(boolean allow) {
        return new MountOptions(
                fileSystemName,
                subtype,
                workers,
                maxWriteBytes,
                readAheadBytes,
                maxBackground,
                maxDetached,
                initFlags,
                allowOther,
                defaultPermissions,
                readOnly,
                allow);
    }

    private static void require(boolean condition, String message) {
        if (!condition) {
            throw new IllegalArgumentException("mount option out of range: " + message);
        }
    }
}
