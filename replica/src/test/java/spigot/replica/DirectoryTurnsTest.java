package spigot.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import spigot.model.FileId;
import spigot.transport.FailureException;
import spigot.transport.wire.Failure;

@DisplayName("The turns of directories")
class DirectoryTurnsTest {
    private static final Duration LONG = Duration.ofSeconds(30);
    private static final FileId ONE = new FileId(1, 1);
    private static final FileId TWO = new FileId(1, 2);
    private static final FileId THREE = new FileId(1, 3);

    private final DirectoryTurns turns = new DirectoryTurns();

    @Test
    void ofDifferentDirectoriesLastAtTheSameTime() throws Exception {
        try (DirectoryTurns.Turn _ = turns.enter(Set.of(ONE), LONG);
                DirectoryTurns.Turn _ = turns.enter(Set.of(TWO, THREE), LONG)) {
            assertThatExceptionOfType(FailureException.class)
                    .isThrownBy(() -> turns.enter(Set.of(THREE), Duration.ofMillis(1)))
                    .satisfies(e -> assertThat(e.code()).isEqualTo(Failure.Code.NOT_READY));
        }
        turns.enter(Set.of(ONE, TWO, THREE), Duration.ZERO).close();
    }

    @Test
    void comeInTheOrderInWhichTheyWereAskedFor() throws Exception {
        List<String> order = new CopyOnWriteArrayList<>();
        DirectoryTurns.Turn first = turns.enter(Set.of(ONE), LONG);
        CompletableFuture<Void> both = later("both", order, Set.of(ONE, TWO));
        // Two is free, but whoever waits for both is not passed over.
        CompletableFuture<Void> second = later("second", order, Set.of(TWO));
        assertThat(order).isEmpty();
        first.close();
        CompletableFuture.allOf(both, second).get();
        assertThat(order).containsExactly("both", "second");
    }

    private CompletableFuture<Void> later(String name, List<String> order, Set<FileId> directories)
            throws InterruptedException {
        CompletableFuture<Void> done = new CompletableFuture<>();
        Thread thread = Thread.ofPlatform().start(() -> {
            try (DirectoryTurns.Turn _ = turns.enter(directories, LONG)) {
                order.add(name);
                done.complete(null);
            } catch (Exception e) {
                done.completeExceptionally(e);
            }
        });
        while (thread.getState() != Thread.State.TIMED_WAITING && thread.isAlive()) {
            Thread.onSpinWait();
        }
        return done;
    }

    @Test
    void tellWhetherADirectoryWasChangedSince() throws Exception {
        long before = turns.stamp();
        try (DirectoryTurns.Turn _ = turns.enter(Set.of(ONE), LONG)) {
            assertThat(turns.changedSince(ONE, before)).isFalse();
        }
        assertThat(turns.changedSince(ONE, before)).isFalse();
        long during;
        try (DirectoryTurns.Turn turn = turns.enter(Set.of(ONE), LONG)) {
            turn.change();
            during = turns.stamp();
            assertThat(turns.changedSince(ONE, before)).isTrue();
        }
        assertThat(turns.changedSince(ONE, during)).isTrue();
        assertThat(turns.changedSince(ONE, turns.stamp())).isFalse();
        assertThat(turns.changedSince(TWO, before)).isFalse();
    }

    @Test
    void takeWhatIsForgottenForChanged() throws Exception {
        long before = turns.stamp();
        for (int i = 0; i < 10_100; i++) {
            try (DirectoryTurns.Turn turn = turns.enter(Set.of(new FileId(2, i)), LONG)) {
                turn.change();
            }
        }
        assertThat(turns.changedSince(ONE, before)).isTrue();
        assertThat(turns.changedSince(ONE, turns.stamp())).isFalse();
    }
}
