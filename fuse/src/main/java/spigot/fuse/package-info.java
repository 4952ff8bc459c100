/**
 * The FUSE kernel protocol in Java, without C: mounts a {@link spigot.fuse.FileSystem} and serves the kernel's requests from /dev/fuse through the
 * foreign function interface. A library of its own.
 *
 * <p>Requests arrive on workers (platform threads) as views over the worker's buffer, so that answering from memory makes no object; what may block is
 * detached and answered from elsewhere. The kernel caches names, attributes and pages as long as the answers say, and
 * {@link spigot.fuse.Notifier} takes that back.
 */
@NullMarked
package spigot.fuse;

import org.jspecify.annotations.NullMarked;
