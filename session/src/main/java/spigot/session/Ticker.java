package spigot.session;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;

/** A virtual thread that runs something again and again until it is closed. */
final class Ticker implements AutoCloseable {
    private final CountDownLatch closed = new CountDownLatch(1);

    /** @param tick returns after how many milliseconds it wants to run again */
    Ticker(String name, IntSupplier tick) {
        Thread.ofVirtual().name(name).start(() -> run(tick));
    }

    private void run(IntSupplier tick) {
        try {
            int waitMillis;
            do {
                waitMillis = tick.getAsInt();
            } while (!closed.await(waitMillis, TimeUnit.MILLISECONDS));
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts a ticker", e);
        }
    }

    @Override
    public void close() {
        closed.countDown();
    }
}
