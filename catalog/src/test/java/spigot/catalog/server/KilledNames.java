package spigot.catalog.server;

import java.nio.file.Path;
import spigot.catalog.server.state.Command;
import spigot.model.FileId;
import spigot.transport.Messages;
import spigot.transport.wire.NamespaceRequest;

/** A process that renames one file again and again and says so, until it is killed. Argument: the directory of the catalog. */
final class KilledNames {
    static final FileId MOVED = Mutations.id(1);

    private KilledNames() {}

    public static void main(String[] arguments) throws Exception {
        CatalogLog log = RatisCatalogLog.open(Path.of(arguments[0]));
        GridTree tree = new GridTree(log);
        tree.begin();
        FileId root = tree.published(GridTree.ALPHA, "/data");
        tree.propose(tree.command(GridTree.ALPHA)
                .setNames(NamespaceRequest.newBuilder()
                        .setNumber(1)
                        .setPublication(Messages.bytes(root))
                        .addMutations(Mutations.add(root, name(1), MOVED, GridTree.attributes(1, 1))))
                .build());
        for (long number = 2; ; number++) {
            tree.propose(rename(tree, root, number));
            System.out.println(number);
        }
    }

    static String name(long number) {
        return "name-" + number;
    }

    static Command rename(GridTree tree, FileId root, long number) {
        return tree.command(GridTree.ALPHA)
                .setNames(NamespaceRequest.newBuilder()
                        .setNumber(number)
                        .setPublication(Messages.bytes(root))
                        .addMutations(Mutations.move(root, name(number - 1), MOVED, root, name(number))))
                .build();
    }
}
