package spigot.fuse;

import java.io.IOException;
import spigot.linux.Errno;

/**
 * What a mounted file system does, one method for each operation of the kernel. What is not overridden makes an empty read-only file system without
 * extended attributes, and refuses with the error number that the kernel expects for that operation.
 *
 * <p>All methods run on the mount's workers, several at a time. A method either answers its request before it returns, without waiting for
 * anything, or hands it over ({@link Request#handOver}, {@link Request#detach}). It must not touch the mount, and must neither send nor wait for a
 * notification ({@link Notifier}) before its answer. An exception is answered with the number of a
 * {@link spigot.linux.SystemCallException}, or else EIO.
 *
 * <p>The kernel remembers ENOSYS for most operations and never asks again, so it is no answer to a passing trouble.
 */
public interface FileSystem {
    /** Called once, before any request. */
    default void init(FuseSession session) {}

    /** Called once, after the last worker has ended: nothing more is asked. Detached requests that are unanswered were interrupted. */
    default void destroy() {}

    /** The kernel forgets so many of the lookups that were answered for the node; at 0 left it does not know the node any more. */
    default void forget(long nodeId, long lookups) {}

    /** Names come with up to 1024 bytes; a file system that has 255 at most answers ENAMETOOLONG to longer ones. */
    default void lookup(LookupRequest request) throws IOException {
        request.replyError(Errno.ENOENT);
    }

    /** By default: the root is a directory that all may enter, and there is nothing else. */
    default void getattr(GetattrRequest request) throws IOException {
        if (request.nodeId() == 1) {
            NodeAttributes attributes = request.attributes();
            attributes.inode = 1;
            attributes.mode = 0040555;
            attributes.links = 2;
            request.reply(attributes, 0);
        } else {
            request.replyError(Errno.ESTALE);
        }
    }

    default void setattr(SetattrRequest request) throws IOException {
        request.replyError(Errno.EROFS);
    }

    default void readlink(ReadlinkRequest request) throws IOException {
        request.replyError(Errno.EINVAL);
    }

    default void symlink(SymlinkRequest request) throws IOException {
        request.replyError(Errno.EROFS);
    }

    default void mknod(MknodRequest request) throws IOException {
        request.replyError(Errno.EROFS);
    }

    default void mkdir(MkdirRequest request) throws IOException {
        request.replyError(Errno.EROFS);
    }

    default void unlink(RemoveRequest request) throws IOException {
        request.replyError(Errno.EROFS);
    }

    default void rmdir(RemoveRequest request) throws IOException {
        request.replyError(Errno.EROFS);
    }

    default void rename(RenameRequest request) throws IOException {
        request.replyError(Errno.EROFS);
    }

    default void link(LinkRequest request) throws IOException {
        request.replyError(Errno.EROFS);
    }

    /** By default: handle 0, nothing kept across opens. */
    default void open(OpenRequest request) throws IOException {
        request.reply(0, 0);
    }

    default void read(ReadRequest request) throws IOException {
        request.replyError(Errno.EIO);
    }

    default void write(WriteRequest request) throws IOException {
        request.replyError(Errno.EROFS);
    }

    default void statfs(StatfsRequest request) throws IOException {
        request.reply(4096, 0, 0, 0, 0, 0, 255);
    }

    default void release(ReleaseRequest request) throws IOException {
        request.replyDone();
    }

    default void fsync(FsyncRequest request) throws IOException {
        request.replyError(Errno.ENOSYS);
    }

    default void setxattr(SetxattrRequest request) throws IOException {
        request.replyError(Errno.ENOSYS);
    }

    default void getxattr(GetxattrRequest request) throws IOException {
        request.replyError(Errno.ENOSYS);
    }

    default void listxattr(ListxattrRequest request) throws IOException {
        request.replyError(Errno.ENOSYS);
    }

    default void removexattr(RemovexattrRequest request) throws IOException {
        request.replyError(Errno.ENOSYS);
    }

    default void flush(FlushRequest request) throws IOException {
        request.replyError(Errno.ENOSYS);
    }

    /** By default: handle 0, names not kept. */
    default void opendir(OpenRequest request) throws IOException {
        request.reply(0, 0);
    }

    /** READDIR and READDIRPLUS; by default without names. */
    default void readdir(ReaddirRequest request) throws IOException {
        request.names();
        request.reply();
    }

    default void releasedir(ReleaseRequest request) throws IOException {
        request.replyDone();
    }

    default void fsyncdir(FsyncRequest request) throws IOException {
        request.replyError(Errno.ENOSYS);
    }

    /** Asked only with {@link InitFlags#POSIX_LOCKS}. */
    default void getlk(LockRequest request) throws IOException {
        request.replyError(Errno.ENOSYS);
    }

    /** Asked only with {@link InitFlags#POSIX_LOCKS} or {@link InitFlags#FLOCK_LOCKS}; both SETLK and SETLKW. */
    default void setlk(LockRequest request) throws IOException {
        request.replyError(Errno.ENOSYS);
    }

    default void access(AccessRequest request) throws IOException {
        request.replyError(Errno.ENOSYS);
    }

    default void create(CreateRequest request) throws IOException {
        request.replyError(Errno.EROFS);
    }

    default void tmpfile(CreateRequest request) throws IOException {
        request.replyError(Errno.EOPNOTSUPP);
    }

    default void bmap(BmapRequest request) throws IOException {
        request.replyError(Errno.ENOSYS);
    }

    default void ioctl(IoctlRequest request) throws IOException {
        request.replyError(Errno.ENOTTY);
    }

    default void poll(PollRequest request) throws IOException {
        request.replyError(Errno.ENOSYS);
    }

    default void fallocate(FallocateRequest request) throws IOException {
        request.replyError(Errno.EOPNOTSUPP);
    }

    /** By default the kernel seeks by itself: all is data up to the size. */
    default void lseek(LseekRequest request) throws IOException {
        request.replyError(Errno.ENOSYS);
    }

    /** By default the kernel copies through READ and WRITE. */
    default void copyFileRange(CopyFileRangeRequest request) throws IOException {
        request.replyError(Errno.ENOSYS);
    }

    default void syncfs(SyncfsRequest request) throws IOException {
        request.replyError(Errno.ENOSYS);
    }

    /** By default the kernel uses GETATTR. */
    default void statx(StatxRequest request) throws IOException {
        request.replyError(Errno.ENOSYS);
    }
}
