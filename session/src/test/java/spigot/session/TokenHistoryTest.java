package spigot.session;

import static org.assertj.core.api.Assertions.assertThat;
import static spigot.session.TokenGrid.FILE;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spigot.session.RegisterHistory.Operation;

/**
 * Random programs on three nodes; what they saw must have been possible one after the other, block by block. {@code -Dspigot.history.seed=S}
 * gives the programs of a run again, though not its timing.
 */
@DisplayName("Histories of random programs are linearizable")
class TokenHistoryTest {
    private static final int BLOCKS = 6;
    private static final int CLIENTS = 3;
    private static final int THREADS = 2;
    private static final int MOST_OPERATIONS = 100_000;

    @TempDir
    Path directory;

    private interface Weather {
        void on(TokenGrid grid) throws Exception;
    }

    @Test
    @DisplayName("in calm weather")
    void calm() throws Exception {
        run(300, grid -> {});
    }

    @Test
    @DisplayName("while the home is killed again and again")
    void restarts() throws Exception {
        run(40, grid -> {
            for (int i = 0; i < 4; i++) {
                Thread.sleep(1_500);
                grid.home.restart();
            }
        });
    }

    /** @param operations of each program at least; they go on as long as the weather lasts */
    private void run(int operations, Weather weather) throws Exception {
        long seed = Long.getLong("spigot.history.seed", System.nanoTime());
        System.out.println("spigot.history.seed=" + seed);
        Map<Integer, Queue<Operation>> history = new ConcurrentHashMap<>();
        AtomicLong values = new AtomicLong();
        AtomicBoolean going = new AtomicBoolean(true);
        try (TokenGrid grid = new TokenGrid(directory);
                var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> programs = new ArrayList<>();
            List<TestTokenClient> clients = new ArrayList<>();
            for (int c = 0; c < CLIENTS; c++) {
                TestTokenClient client = grid.client("client" + c);
                clients.add(client);
                for (int t = 0; t < THREADS; t++) {
                    Random random = new Random(seed + 31 * c + t);
                    programs.add(executor.submit(() -> {
                        for (int i = 0; i < operations || (going.get() && i < MOST_OPERATIONS); i++) {
                            operation(client, random, values, history);
                        }
                        return null;
                    }));
                }
            }
            weather.on(grid);
            going.set(false);
            for (Future<?> program : programs) {
                program.get();
            }
            for (TestTokenClient client : clients) {
                assertThat(client.orphans).isEmpty();
            }
        }
        assertThat(history).hasSize(BLOCKS);
        history.forEach((block, all) -> assertThat(RegisterHistory.fault(List.copyOf(all)))
                .as("block %d, seed %d, %d operations", block, seed, all.size())
                .isEmpty());
    }

    private static void operation(
            TestTokenClient client, Random random, AtomicLong values, Map<Integer, Queue<Operation>> history)
            throws Exception {
        int block = random.nextInt(BLOCKS);
        Queue<Operation> operations = history.computeIfAbsent(block, _ -> new ConcurrentLinkedQueue<>());
        long begin = System.nanoTime();
        if (random.nextInt(3) == 0) {
            long value = values.incrementAndGet();
            long end = Long.MAX_VALUE;
            try {
                client.write(FILE, block, value);
                end = System.nanoTime();
            } catch (IOException e) {
                // Served by a home that has started again: whether it was done is not known, so it may be at any later
                // time.
                assertThat(e).hasMessageContaining("is not known");
            }
            operations.add(new Operation(true, value, begin, end));
        } else {
            long value = client.read(FILE, block);
            operations.add(new Operation(false, value, begin, System.nanoTime()));
        }
        if (random.nextInt(50) == 0) {
            client.sync(FILE);
        }
    }
}
