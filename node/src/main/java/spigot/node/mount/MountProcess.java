package spigot.node.mount;

import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import spigot.node.NodeException;
import spigot.node.home.SpigotHome;

/** The parts of one mount. */
final class MountProcess implements AutoCloseable {
    private final CountDownLatch end = new CountDownLatch(1);

    private MountProcess() {}

    /** @throws NodeException when it can't be mounted; then nothing is left */
    static MountProcess start(MountConfiguration configuration, SpigotHome home)
            throws NodeException, IOException, InterruptedException {
        throw new NodeException("mounting is not possible in this build");
    }

    void awaitEnd() throws InterruptedException {
        end.await();
    }

    @Override
    public void close() {
        end.countDown();
    }
}
