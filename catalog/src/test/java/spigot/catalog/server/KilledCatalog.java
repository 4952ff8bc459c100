package spigot.catalog.server;

import java.nio.file.Path;
import spigot.model.FileId;

/** A process that registers files and says so, until it is killed. Argument: the directory of the catalog. */
final class KilledCatalog {
    private KilledCatalog() {}

    public static void main(String[] arguments) throws Exception {
        CatalogLog log = RatisCatalogLog.open(Path.of(arguments[0]));
        GridTree tree = new GridTree(log);
        long life = tree.begin();
        FileId root = tree.published(GridTree.ALPHA, "/data");
        for (int i = 0; ; i++) {
            String name = life + "-" + i;
            tree.registered(
                    GridTree.ALPHA, root, false, GridTree.file(root, name, i).build());
            if (i % 50 == 49) {
                log.snapshot();
            }
            System.out.println(name);
        }
    }
}
