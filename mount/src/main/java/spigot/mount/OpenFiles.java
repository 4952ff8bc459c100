package spigot.mount;

import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import spigot.cache.OpenFile;
import spigot.model.FileId;
import spigot.model.FileRecord;

/** The open files of the mount, by handle and by file. Safe for any thread; the hit path takes no lock. */
final class OpenFiles {
    private final HandleTable<FileHandle> handles;
    private final ConcurrentHashMap<FileId, OpenNode> nodes = new ConcurrentHashMap<>();
    private final int limit;

    /** One open of a file by a program. */
    record FileHandle(long node, OpenNode shared, OpenFile file) {}

    /** @param limit most handles open at the same time */
    OpenFiles(int limit) {
        this.limit = limit;
        handles = new HandleTable<>(limit);
    }

    /** @throws ErrorNumbers.TooManyOpenException and closes the file, when the limit is reached */
    long add(long node, FileId id, OpenFile file) throws ErrorNumbers.TooManyOpenException {
        OpenNode shared = nodes.compute(id, (_, known) -> {
            OpenNode current = known == null ? new OpenNode(id) : known;
            current.add(file);
            return current;
        });
        long number = handles.add(new FileHandle(node, shared, file));
        if (number == 0) {
            close(shared, file);
            throw new ErrorNumbers.TooManyOpenException(
                    "more than " + limit + " files are open at this mount: close some, or raise its limit");
        }
        return number;
    }

    @Nullable
    FileHandle get(long number) {
        return handles.get(number);
    }

    void remove(long number) {
        FileHandle handle = handles.remove(number);
        if (handle != null) {
            close(handle.shared(), handle.file());
        }
    }

    private void close(OpenNode shared, OpenFile file) {
        nodes.compute(shared.file(), (_, known) -> shared.remove(file) ? null : known);
        file.close();
    }

    /** What the handles of a file share; null when it is not open. */
    @Nullable
    OpenNode node(FileId file) {
        return nodes.get(file);
    }

    /** The file as its home saw it last; null when it is not open. */
    @Nullable
    FileRecord seenByHome(FileId file) {
        OpenNode node = nodes.isEmpty() ? null : nodes.get(file);
        return node == null ? null : node.seenByHome();
    }

    int size() {
        return handles.size();
    }

    void closeAll() {
        for (FileHandle handle : handles.removeAll()) {
            close(handle.shared(), handle.file());
        }
    }
}
