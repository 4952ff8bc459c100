package spigot.replica.commit;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Set;
import spigot.model.Fingerprint;

/**
 * Brings a version's bytes from the log into the published file, in place. What it does can be done again after a crash at any point:
 * readers take these ranges from the log until the log says that the file has them. By one thread at a time; blocks on the disk.
 */
final class Folder {
    private static final int CHUNK_BYTES = 256 << 10;

    private final Set<Guard> guards;
    private final ByteBuffer chunk = ByteBuffer.allocateDirect(CHUNK_BYTES);

    Folder(Set<Guard> guards) {
        this.guards = guards;
    }

    /**
     * What the file was when all was in it.
     *
     * @param set by the folding
     * @param found after it was durable; another one when somebody else has changed the file in between
     */
    record Outcome(Fingerprint set, Fingerprint found) {}

    Outcome fold(FileView view, StoredFile file) throws IOException {
        long size = file.size();
        if (view.size() < size) {
            file.setSize(view.size());
            size = view.size();
        }
        DeltaMap delta = view.delta();
        for (int range = 0; range < delta.size(); range++) {
            if (delta.segment(range) == null) {
                long end = Math.min(delta.end(range), size);
                if (delta.start(range) < end) {
                    file.punch(delta.start(range), end - delta.start(range));
                }
            } else {
                copy(delta, range, file);
            }
        }
        if (file.size() != view.size()) {
            file.setSize(view.size());
        }
        file.setModified(view.modifiedNanos());
        Fingerprint set = file.fingerprint();
        if (guards.contains(Guard.SYNC_BEFORE_FOLDED)) {
            // The times as well: without them a power cut would make this look like somebody else's change.
            file.syncAll();
        }
        return new Outcome(set, file.fingerprint());
    }

    private void copy(DeltaMap delta, int range, StoredFile file) throws IOException {
        long length = delta.end(range) - delta.start(range);
        for (long done = 0; done < length; ) {
            chunk.clear().limit((int) Math.min(CHUNK_BYTES, length - done));
            DeltaReader.copy(delta.segment(range), delta.position(range) + done, chunk);
            chunk.flip();
            int count = chunk.remaining();
            file.write(chunk, delta.start(range) + done);
            done += count;
        }
    }
}
