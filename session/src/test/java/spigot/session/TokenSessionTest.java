package spigot.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static spigot.session.TokenGrid.FILE;
import static spigot.session.TokenGrid.LONG;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spigot.coherence.token.Mode;
import spigot.coherence.token.Range;
import spigot.model.FileId;
import spigot.transport.FailureException;
import spigot.transport.wire.Failure;

@DisplayName("Two nodes and a home, over TLS links")
class TokenSessionTest {
    @TempDir
    Path directory;

    private TokenGrid grid;
    private TestTokenClient alice;
    private TestTokenClient bob;

    @BeforeEach
    void start() throws Exception {
        grid = new TokenGrid(directory);
        alice = grid.client("alice");
        bob = grid.client("bob");
    }

    @AfterEach
    void stop() throws Exception {
        grid.close();
    }

    @Test
    @DisplayName("what one writes the other reads at once, both ways, and no page shows the old")
    void seenAtOnce() throws Exception {
        assertThat(bob.read(FILE, 3)).isZero();
        for (long value = 1; value <= 20; value += 2) {
            alice.write(FILE, 3, value);
            assertThat(bob.page(FILE, 3)).isIn((Long) null, value);
            assertThat(bob.read(FILE, 3)).isEqualTo(value);
            bob.write(FILE, 3, value + 1);
            assertThat(alice.read(FILE, 3)).isEqualTo(value + 1);
        }
        assertThat(alice.drops.get() + bob.drops.get()).isPositive();
        assertThat(alice.orphans).isEmpty();
    }

    @Test
    @DisplayName("a token that is held costs no message: reads and writes under it ask nobody")
    void quietUnderToken() throws Exception {
        alice.write(FILE, 0, 1);
        int acquires = grid.home.acquires.get();
        for (int block = 0; block < 200; block++) {
            alice.write(FILE, block, block);
        }
        assertThat(grid.home.acquires.get()).isEqualTo(acquires);
        assertThat(alice.file(FILE).isUnclean(Range.WHOLE)).isTrue();
        alice.sync(FILE);
        assertThat(alice.file(FILE).isUnclean(Range.WHOLE)).isFalse();
        assertThat(bob.read(FILE, 199)).isEqualTo(199);
    }

    @Test
    @DisplayName("copies that nobody has changed are kept when their token comes back")
    void copiesAreKept() throws Exception {
        for (int block = 0; block < 300; block++) {
            alice.write(FILE, block, block + 1);
        }
        for (int block = 0; block < 300; block++) {
            assertThat(bob.read(FILE, block)).isEqualTo(block + 1);
        }
        alice.write(FILE, 299, 1_000);
        int fetched = bob.fetches.get();
        for (int block = 0; block < 299; block++) {
            assertThat(bob.read(FILE, block)).isEqualTo(block + 1);
        }
        assertThat(bob.fetches.get() - fetched).isLessThan(10);
        assertThat(bob.read(FILE, 299)).isEqualTo(1_000);
    }

    @Test
    @DisplayName("a token in service is not given back before the request has ended")
    void inService() throws Exception {
        alice.write(FILE, 0, 1);
        TokenUse use = new TokenUse();
        assertThat(alice.file(FILE).tryEnter(use, Mode.EXCLUSIVE, 0, 4096)).isTrue();
        CompletableFuture<Long> read = CompletableFuture.supplyAsync(() -> {
            try {
                return bob.read(FILE, 0);
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
        await().atMost(LONG).until(() -> alice.drops.get() > 0);
        assertThat(read).isNotDone();
        alice.file(FILE).exit(use);
        assertThat(read.get()).isEqualTo(1);
    }

    @Test
    @DisplayName("what ping-pongs is served by the home, and is right")
    void serialised() throws Exception {
        long last = 0;
        for (int round = 0; round < 200 && alice.serialised.get() == 0; round++) {
            alice.write(FILE, 0, ++last);
            bob.write(FILE, 0, ++last);
        }
        assertThat(alice.serialised.get()).isPositive();
        assertThat(alice.read(FILE, 0)).isEqualTo(last);
        alice.write(FILE, 0, last + 1);
        assertThat(bob.read(FILE, 0)).isEqualTo(last + 1);
    }

    @Test
    @DisplayName("the size that one has changed is glimpsed by the other, without taking its token")
    void glimpse() throws Exception {
        alice.resize(FILE, 12_345);
        assertThat(bob.file(FILE).glimpse(LONG).getSize()).isEqualTo(12_345);
        assertThat(alice.drops).hasValue(0);
        alice.sync(FILE);
        assertThat(grid.home.commits).hasValue(1);
        assertThat(bob.file(FILE).glimpse(LONG).getSize()).isEqualTo(12_345);
    }

    @Test
    @DisplayName("a home that starts again lets the tokens stay where they are, and nothing written is lost")
    void restart() throws Exception {
        alice.write(FILE, 0, 7);
        bob.read(FILE, 1_000);
        int acquires = grid.home.acquires.get();
        grid.home.restart();
        assertThat(bob.read(FILE, 0)).isEqualTo(7);
        alice.write(FILE, 0, 8);
        assertThat(bob.read(FILE, 0)).isEqualTo(8);
        assertThat(alice.orphans).isEmpty();
        assertThat(grid.home.acquires.get()).isGreaterThan(acquires);
        await().atMost(LONG).until(() -> !grid.home.tokens().grace());
    }

    @Test
    @DisplayName(
            "a cut node loses its tokens when its lease ends: the others go on, and it keeps what was not committed apart")
    void cut() throws Exception {
        alice.write(FILE, 0, 1);
        alice.sync(FILE);
        alice.write(FILE, 0, 2);
        alice.cut();
        assertThat(bob.read(FILE, 0)).isEqualTo(1);
        bob.write(FILE, 0, 3);
        assertThat(alice.orphans).isNotEmpty();
        assertThat(alice.file(FILE).tryEnter(new TokenUse(), Mode.SHARED, 0, 4096))
                .isFalse();
        alice.connect();
        assertThat(alice.read(FILE, 0)).isEqualTo(3);
    }

    @Test
    @DisplayName("a link that breaks and comes back costs no token")
    void reconnect() throws Exception {
        alice.write(FILE, 0, 1);
        alice.cut();
        alice.connect();
        alice.write(FILE, 0, 2);
        assertThat(bob.read(FILE, 0)).isEqualTo(2);
        assertThat(alice.orphans).isEmpty();
    }

    @Test
    @DisplayName("a node that leaves makes nobody wait")
    void leave() throws Exception {
        alice.write(FILE, 0, 1);
        alice.sync(FILE);
        alice.close();
        long begin = System.nanoTime();
        assertThat(bob.read(FILE, 0)).isEqualTo(1);
        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(3));
    }

    @Test
    @DisplayName("what the home has no room for is refused with its error number, and goes on afterwards")
    void noRoom() throws Exception {
        alice.write(FILE, 0, 1);
        grid.home.errno = 28;
        alice.sync(FILE);
        assertThat(alice.refusals).isNotEmpty().allMatch(failure -> failure.getErrno() == 28);
        grid.home.errno = 0;
        alice.write(FILE, 0, 2);
        assertThat(bob.read(FILE, 0)).isEqualTo(2);
    }

    @Test
    @DisplayName("a file of another home is refused, and who waits can be interrupted")
    void refusals() throws Exception {
        assertThatThrownBy(() -> alice.read(new FileId(8, 1), 0))
                .isInstanceOfSatisfying(
                        FailureException.class, e -> assertThat(e.code()).isEqualTo(Failure.Code.NOT_HOME));
        alice.write(FILE, 0, 1);
        TokenUse use = new TokenUse();
        assertThat(alice.file(FILE).tryEnter(use, Mode.EXCLUSIVE, 0, 4096)).isTrue();
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> waiting = new ArrayList<>();
            waiting.add(executor.submit(() -> bob.read(FILE, 0)));
            await().atMost(LONG).until(() -> alice.drops.get() > 0);
            executor.shutdownNow();
            assertThatThrownBy(() -> waiting.getFirst().get())
                    .isInstanceOf(ExecutionException.class)
                    .hasCauseInstanceOf(InterruptedException.class);
        }
        alice.file(FILE).exit(use);
        assertThat(bob.read(FILE, 0)).isEqualTo(1);
    }
}
