package spigot.replica.commit;

import java.io.IOException;
import spigot.model.FileId;
import spigot.model.Fingerprint;

/** Who is told what the folding finds and does, on its thread. May call {@link Commits}; as long as it takes nothing is folded. */
public interface FoldListener {
    FoldListener NONE = new FoldListener() {
        @Override
        public void changedBehind(FileId file, Fingerprint expected, Fingerprint found) {}

        @Override
        public void folded(FileView view, Fingerprint fingerprint) {}

        @Override
        public void failed(FileId file, IOException failure) {}
    };

    /**
     * Somebody else has changed the published file. Where commits have written, they win; the rest is what it is now, so readers
     * have to get a new version: {@link Commits#changedOutside}, after their leases are recalled. After a crash in the middle of a
     * folding this is told of the server's own half-done writes, too.
     *
     * @throws IOException the folding of this file is put off, and this is told again
     */
    void changedBehind(FileId file, Fingerprint expected, Fingerprint found) throws IOException, InterruptedException;

    /**
     * The published file has all of the version's bytes, durably. There may be newer ones.
     *
     * @param fingerprint of the published file now
     */
    void folded(FileView view, Fingerprint fingerprint) throws InterruptedException;

    /** It is tried again later; as long as it fails, commits that find no room fail likewise. */
    void failed(FileId file, IOException failure);
}
