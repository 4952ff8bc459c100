package spigot.mount;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import spigot.fuse.FuseException;
import spigot.fuse.Notifier;
import spigot.linux.Errno;
import spigot.linux.SystemCallException;

/**
 * Notifications that are waited for, on virtual threads, never on a worker. When the mount has ended the kernel holds nothing
 * any more: that is success.
 */
final class Notices {
    private static final int IN_FLIGHT = 512;

    private final Notifier notifier;

    Notices(Notifier notifier) {
        this.notifier = notifier;
    }

    void expireAllNames() throws IOException, InterruptedException {
        await(notifier.incrementEpoch());
    }

    void expireEntry(long directory, byte[] name) throws IOException, InterruptedException {
        await(notifier.expireEntry(directory, name));
    }

    void dropAttributes(long node) throws IOException, InterruptedException {
        await(notifier.invalidateAttributes(node));
    }

    void dropAttributes(long[] nodes) throws IOException, InterruptedException {
        ArrayDeque<CompletableFuture<Boolean>> inFlight = new ArrayDeque<>();
        for (long node : nodes) {
            inFlight.add(notifier.invalidateAttributes(node));
            if (inFlight.size() == IN_FLIGHT) {
                await(inFlight.remove());
            }
        }
        while (!inFlight.isEmpty()) {
            await(inFlight.remove());
        }
    }

    void dropPagesAndAttributes(long node) throws IOException, InterruptedException {
        await(notifier.invalidateInode(node, 0, 0));
    }

    /** Begins to drop pages; waits for nothing that was begun before. */
    CompletableFuture<Boolean> dropPages(long node, long offset, long length) {
        return notifier.invalidatePages(node, offset, length);
    }

    static void await(CompletableFuture<Boolean> notice) throws IOException, InterruptedException {
        try {
            boolean _ = notice.get();
        } catch (ExecutionException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            if (!saysEnded(cause)) {
                throw new IOException("the kernel did not drop what it was told to: " + cause.getMessage(), e);
            }
        }
    }

    private static boolean saysEnded(Throwable failure) {
        return switch (failure) {
            case FuseException _ -> true;
            case SystemCallException refused ->
                switch (refused.errno()) {
                    case Errno.ENODEV, Errno.ENOTCONN, Errno.ECONNABORTED, Errno.EBADF -> true;
                    default -> false;
                };
            default -> false;
        };
    }
}
