package spigot.catalog.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import spigot.catalog.TestGrid;
import spigot.catalog.TestTree;
import spigot.catalog.client.CatalogClient;
import spigot.catalog.client.DirectoryListing;
import spigot.catalog.client.NamespaceListener;
import spigot.model.FileName;
import spigot.transport.PeerIdentity;

/** 100,000 files in one directory, on the real tables and log. Prints its times. */
class LargeDirectoryTest {
    private static final int FILES = 100_000;

    private static final OperatingSystemMXBean CPU =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    @TempDir
    Path directory;

    @Test
    @Timeout(value = 600, unit = TimeUnit.SECONDS)
    void aHundredThousandFilesAreRegisteredListedAndRegisteredAgain() throws Exception {
        long start = System.nanoTime();
        CatalogLog log = RatisCatalogLog.open(Files.createDirectory(directory.resolve("catalog")));
        start = print("opened", start);
        try (TestGrid grid = new TestGrid(directory, log)) {
            TestTree tree =
                    new TestTree(grid.replicaServer(grid.identity(PeerIdentity.Role.SERVER, 1, "alpha")), "/data");
            register(tree);
            start = print("registered", start);
            register(tree);
            start = print("registered again", start);
            CatalogClient client = grid.client("node", NamespaceListener.NONE);
            DirectoryListing listing = client.list(tree.root());
            start = print("listed", start);
            assertThat(listing.size()).isEqualTo(FILES);
            assertThat(listing.memoryBytes()).isLessThan(150L * FILES);
            for (int i = 0; i < FILES; i++) {
                assertThat(listing.find(FileName.of("file-" + i))).isNotNegative();
            }
            print("found each", start);
        }
    }

    private static void register(TestTree tree) throws Exception {
        for (int i = 0; i < FILES; i++) {
            tree.later("file-" + i, i);
        }
        tree.flush();
    }

    private static long print(String what, long start) {
        long now = System.nanoTime();
        System.out.println(what + ": " + (now - start) / 1_000_000 + " ms, the process's CPU time until now "
                + CPU.getProcessCpuTime() / 1_000_000 + " ms");
        return now;
    }
}
