package spigot.replica;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import spigot.model.FileId;

/**
 * A file that somebody asked for lately. Safe for any thread: what is here is replaced as a whole; {@link FileUpdates} alone
 * replaces the row, one change at a time, and {@link ServedFiles} the descriptor.
 */
final class ServedFile {
    /** Not confirmed by the catalog in this life of the server. */
    static final long NEVER = -1;

    private final FileId id;
    private final PublishedTree tree;
    private volatile IndexedFile row;
    private volatile boolean named;
    private volatile boolean leased;
    private volatile boolean written;
    private volatile boolean folding;
    private volatile long writtenNanos = System.nanoTime();
    private volatile long confirmedIn = NEVER;
    private final AtomicReference<@Nullable SharedDescriptor> descriptor = new AtomicReference<>();
    private final AtomicReference<@Nullable UnsettledReads> unsettled = new AtomicReference<>();
    private final AtomicReference<@Nullable CompletableFuture<Void>> change = new AtomicReference<>();

    ServedFile(PublishedTree tree, IndexedFile row, boolean written) {
        this.id = row.id();
        this.tree = tree;
        this.row = row;
        this.named = true;
        this.written = written;
    }

    FileId id() {
        return id;
    }

    PublishedTree tree() {
        return tree;
    }

    /** Whether it is not a file in a published tree but published itself. */
    boolean isPublishedRoot() {
        return id.equals(tree.publication().root());
    }

    IndexedFile row() {
        return row;
    }

    void setRow(IndexedFile newRow) {
        row = newRow;
    }

    /** False when its last name was removed or taken by another file: it is served as long as it is open. */
    boolean isNamed() {
        return named;
    }

    void loseName() {
        named = false;
    }

    /** Whether somebody got a lease on it that may still be held. */
    boolean isLeased() {
        return leased;
    }

    void setLeased(boolean nowLeased) {
        leased = nowLeased;
    }

    /** Whether {@link WrittenFiles} has to be asked what it is. */
    boolean isWritten() {
        return written;
    }

    void setWritten(boolean nowWritten) {
        writtenNanos = System.nanoTime();
        written = nowWritten;
    }

    /** Something was committed to it just now. */
    void touchWritten() {
        writtenNanos = System.nanoTime();
    }

    /** How long nothing was committed to it, as far as is known. */
    long quietNanos() {
        return System.nanoTime() - writtenNanos;
    }

    /** Whether this server is changing the published file just now. */
    boolean isFolding() {
        return folding;
    }

    void setFolding(boolean nowFolding) {
        folding = nowFolding;
    }

    /** In which confirmation of the catalog's (see {@link CatalogLease}) its row was the catalog's. */
    boolean isConfirmed(long confirmation) {
        return confirmedIn == confirmation || tree.isConfirmed(confirmation);
    }

    void confirm(long confirmation) {
        confirmedIn = confirmation;
    }

    // ---- the descriptor

    /** The caller is one more user of it; null when it is not open. */
    @Nullable
    SharedDescriptor openDescriptor() {
        SharedDescriptor open = descriptor.get();
        return open != null && open.retain() ? open : null;
    }

    boolean isOpen() {
        return descriptor.get() != null;
    }

    /** @return the one that was there, which the caller has to close */
    @Nullable
    SharedDescriptor replaceDescriptor(@Nullable SharedDescriptor newOne) {
        return descriptor.getAndSet(newOne);
    }

    // ---- reads shortly after a change

    @Nullable
    UnsettledReads unsettled() {
        return unsettled.get();
    }

    UnsettledReads unsettledToAdd() {
        UnsettledReads reads = unsettled.get();
        while (reads == null) {
            unsettled.compareAndSet(null, new UnsettledReads());
            reads = unsettled.get();
        }
        return reads;
    }

    void settle() {
        unsettled.set(null);
    }

    /** May lose its descriptor only when there is nothing else to close. */
    boolean isPinned() {
        return leased || !named || written || unsettled.get() != null;
    }

    // ---- one change at a time

    /** @return null when the caller is the one to make a change now, and says so at the end; else what to wait for */
    @Nullable
    CompletableFuture<Void> beginChange(CompletableFuture<Void> mine) {
        return change.compareAndExchange(null, mine);
    }

    void endChange(CompletableFuture<Void> mine) {
        change.compareAndSet(mine, null);
        mine.complete(null);
    }
}
