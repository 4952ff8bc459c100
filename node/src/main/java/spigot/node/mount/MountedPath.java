package spigot.node.mount;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import spigot.node.NodeException;

/**
 * A path below a mount of a grid: which mount, and which logical path in it. Found without touching the mount, which may be
 * wedged: symbolic links are followed outside of mounts only, {@code ..} goes one name back.
 */
public record MountedPath(MountTable.Entry mount, String logicalPath) {
    private static final int MAX_LINKS = 40;

    /** @throws NodeException when the path is in no mount of a grid */
    public static MountedPath resolve(String path) throws NodeException, IOException {
        return resolve(MountTable.read(), Path.of("").toAbsolutePath().toString(), path);
    }

    static MountedPath resolve(MountTable table, String workingDirectory, String path)
            throws NodeException, IOException {
        Walk walk = walk(table, workingDirectory, path);
        MountTable.Entry mount = walk.mount;
        if (mount == null) {
            throw new NodeException(path + " is in no mount of a grid; 'spigot status' lists the mounts");
        }
        String below = walk.text()
                .substring(
                        mount.mountPoint().equals("/") ? 0 : mount.mountPoint().length());
        return new MountedPath(mount, below.isEmpty() ? "/" : below);
    }

    /** The path as the kernel would name it, with the symbolic links outside of mounts resolved; it need not exist. */
    public static String absolute(String path) throws IOException {
        return walk(MountTable.read(), Path.of("").toAbsolutePath().toString(), path)
                .text();
    }

    private static Walk walk(MountTable table, String workingDirectory, String path) throws IOException {
        Walk walk = new Walk(table);
        String full = path.startsWith("/") ? path : workingDirectory + "/" + path;
        Deque<String> todo = new ArrayDeque<>(List.of(full.split("/")));
        int links = 0;
        while (!todo.isEmpty()) {
            String name = todo.pop();
            if (name.isEmpty() || name.equals(".")) {
                continue;
            }
            if (name.equals("..")) {
                walk.back();
                continue;
            }
            walk.into(name);
            if (walk.mount == null && Files.isSymbolicLink(Path.of(walk.text()))) {
                if (++links > MAX_LINKS) {
                    throw new IOException(path + " goes through more than " + MAX_LINKS + " symbolic links");
                }
                String target = Files.readSymbolicLink(Path.of(walk.text())).toString();
                walk.back();
                if (target.startsWith("/")) {
                    walk.toRoot();
                }
                List<String> names = new ArrayList<>(List.of(target.split("/")));
                Collections.reverse(names);
                names.forEach(todo::push);
            }
        }
        return walk;
    }

    /** Where the walk has come to. */
    private static final class Walk {
        private final MountTable table;
        private final List<String> names = new ArrayList<>();
        private MountTable.@org.jspecify.annotations.Nullable Entry mount;

        Walk(MountTable table) {
            this.table = table;
            look();
        }

        String text() {
            return "/" + String.join("/", names);
        }

        void into(String name) {
            names.add(name);
            look();
        }

        void back() {
            if (!names.isEmpty()) {
                names.removeLast();
            }
            look();
        }

        void toRoot() {
            names.clear();
            look();
        }

        /** The innermost mount of a grid that the place lies in, unless another file system is mounted below it there. */
        private void look() {
            mount = null;
            for (int length = names.size(); length >= 0; length--) {
                String prefix = "/" + String.join("/", names.subList(0, length));
                MountTable.Entry entry = table.at(prefix).orElse(null);
                if (entry != null) {
                    mount = entry.type().equals(MountTable.TYPE) ? entry : null;
                    return;
                }
            }
        }
    }
}
