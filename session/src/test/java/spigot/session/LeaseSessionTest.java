package spigot.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import spigot.coherence.GrantorConfig;
import spigot.coherence.HolderConfig;
import spigot.model.FileId;
import spigot.model.Version;
import spigot.transport.CallTimeoutException;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.LeaseKind;
import spigot.transport.wire.RevokeAck;

@Timeout(120)
class LeaseSessionTest {
    private static final FileId DIRECTORY = new FileId(1, 1);
    private static final FileId OTHER = new FileId(1, 2);
    private static final Duration LONG = Duration.ofSeconds(30);

    /** Time stands still unless the test moves it. */
    private final AtomicLong time = new AtomicLong(1_000_000);

    private final TestGrantor server = new TestGrantor(GrantorConfig.ofLease(10_000), time::get);
    private final TestHolder client = new TestHolder(1, HolderConfig.of(0), time::get, server);
    private final TestHolder second = new TestHolder(2, HolderConfig.of(0), time::get, server);
    private final ExecutorService background = Executors.newVirtualThreadPerTaskExecutor();

    @AfterEach
    void end() {
        client.close();
        second.close();
        server.close();
        background.shutdownNow();
    }

    @Test
    void whatIsLeasedIsReadWithoutAMessageUntilItChanges() throws Exception {
        client.connect();
        for (int i = 0; i < 100; i++) {
            assertThat(client.read(DIRECTORY)).isEqualTo(Version.NONE);
        }
        assertThat(server.lookups).hasValue(1);
        Version changed = server.change(DIRECTORY);
        assertThat(client.drops).hasValue(1);
        assertThat(client.read(DIRECTORY)).isEqualTo(changed);
        assertThat(server.lookups).hasValue(2);
    }

    @Test
    void aChangeWaitsUntilEveryHolderHasDroppedItsCaches() throws Exception {
        Queue<Runnable> pending = new ConcurrentLinkedQueue<>();
        try (TestHolder slow = new TestHolder(3, HolderConfig.of(0), time::get, server, pending::add)) {
            slow.connect();
            slow.read(DIRECTORY);
            Future<Version> change = background.submit(() -> server.change(DIRECTORY));
            await().until(() -> !pending.isEmpty());
            assertThat(slow.hasCached(DIRECTORY)).isFalse();
            assertThat(change).isNotDone();
            assertThat(server.version(DIRECTORY)).isEqualTo(Version.NONE);
            pending.remove().run();
            assertThat(change.get()).isEqualTo(server.version(DIRECTORY));
        }
    }

    @Test
    void aLookUpThatMeetsTheRevokeOfItsOwnLeaseIsAnsweredWithoutALease() throws Exception {
        Queue<Runnable> pending = new ConcurrentLinkedQueue<>();
        try (TestHolder slow = new TestHolder(3, HolderConfig.of(0), time::get, server, pending::add)) {
            slow.connect();
            slow.read(DIRECTORY);
            Future<Version> change = background.submit(() -> server.change(DIRECTORY));
            await().until(() -> !pending.isEmpty());
            // The kernel would not let the caches go before this look-up is answered.
            assertThat(slow.read(DIRECTORY)).isEqualTo(Version.NONE);
            assertThat(slow.hasCached(DIRECTORY)).isFalse();
            pending.remove().run();
            change.get();
        }
    }

    @Test
    void whoeverAsksDuringAChangeSeesTheNewVersion() throws Exception {
        client.connect();
        Future<Version> read;
        try (Recall recall = server.leases().recall(List.of(DIRECTORY, OTHER), LONG)) {
            assertThat(recall).isNotNull();
            read = background.submit(() -> client.read(DIRECTORY));
            await().until(() -> server.lookups.get() == 1);
            server.versions.put(DIRECTORY, new Version(1, 7));
            assertThat(read).isNotDone();
        }
        assertThat(read.get()).isEqualTo(new Version(1, 7));
        assertThat(client.hasCached(DIRECTORY)).isTrue();
    }

    @Test
    void changesOfTheSameObjectsInAnyOrderDoNotBlockEachOther() throws Exception {
        client.connect();
        for (int i = 0; i < 50; i++) {
            client.read(DIRECTORY);
            client.read(OTHER);
            CompletableFuture<Void> one = change(List.of(DIRECTORY, OTHER));
            CompletableFuture<Void> two = change(List.of(OTHER, DIRECTORY));
            CompletableFuture.allOf(one, two).get();
        }
    }

    @Test
    void leasesOutliveABrokenLinkAndTheSessionResumesOnTheNext() throws Exception {
        client.connect();
        client.read(DIRECTORY);
        client.disconnect();
        time.addAndGet(5_000);
        assertThat(client.hasCached(DIRECTORY)).isTrue();
        client.connect();
        for (int i = 0; i < 5; i++) {
            // Without the renewals, which are due after a third of the lease, it would have run out.
            int renewals = server.renewals.get();
            time.addAndGet(3_400);
            await().until(() -> server.renewals.get() > renewals);
        }
        assertThat(client.hasCached(DIRECTORY)).isTrue();
        assertThat(server.leases().sessions()).isEqualTo(1);
        server.change(DIRECTORY);
        assertThat(client.hasCached(DIRECTORY)).isFalse();
    }

    @Test
    void aHolderThatIsCutOffDelaysAChangeOnlyUntilItsLeaseHasRunOut() throws Exception {
        client.connect();
        second.connect();
        client.read(DIRECTORY);
        second.read(DIRECTORY);
        client.disconnect();
        Future<Version> change = background.submit(() -> server.change(DIRECTORY));
        await().until(() -> second.drops.get() == 1);
        time.addAndGet(9_000);
        assertThat(client.hasCached(DIRECTORY)).as("the lease less a tenth").isFalse();
        await().until(() -> client.drops.get() == 1);
        assertThat(change).isNotDone();
        time.addAndGet(2_100);
        change.get();
        client.connect();
        assertThat(client.read(DIRECTORY)).isEqualTo(server.version(DIRECTORY));
    }

    @Test
    void aGrantorThatStartedAgainIsToldOfAtOnceAndChangesNothingInItsGrace() throws Exception {
        client.connect();
        client.read(DIRECTORY);
        server.restart();
        Future<Version> change = background.submit(() -> server.change(DIRECTORY));
        time.addAndGet(4_000);
        // The renewal that is due by now is refused.
        await().until(() -> client.drops.get() == 1);
        assertThat(change).isNotDone();
        time.addAndGet(8_000);
        change.get();
        time.addAndGet(1_000);
        await().untilAsserted(() -> {
            assertThat(client.read(DIRECTORY)).isEqualTo(server.version(DIRECTORY));
            assertThat(client.hasCached(DIRECTORY)).isTrue();
        });
    }

    @Test
    void aClientThatSaysByeDelaysNobody() throws Exception {
        client.connect();
        client.read(DIRECTORY);
        client.close();
        server.change(DIRECTORY);
        assertThat(server.leases().sessions()).isZero();
    }

    @Test
    void aNewProcessOfAClientEndsTheSessionOfTheOldOne() throws Exception {
        client.connect();
        client.read(DIRECTORY);
        client.disconnect();
        try (TestHolder again = new TestHolder(1, HolderConfig.of(0), time::get, server)) {
            again.connect();
            again.read(OTHER);
            server.change(DIRECTORY);
        }
    }

    @Test
    void twoMountsOfOneIdentityHaveASessionEach() throws Exception {
        client.connect();
        client.read(DIRECTORY);
        try (TestHolder other = new TestHolder(1, HolderConfig.of(17), time::get, server)) {
            other.connect();
            other.read(DIRECTORY);
            assertThat(server.leases().sessions()).isEqualTo(2);
            assertThat(server.leases().leases()).isEqualTo(2);
            server.change(DIRECTORY);
            assertThat(client.drops).hasValue(1);
            assertThat(other.drops).hasValue(1);
        }
    }

    @Test
    void aRecallThatIsNotClearedInTimeSaysSoAndLetsGrantsGoOn() throws Exception {
        client.connect();
        client.read(DIRECTORY);
        client.disconnect();
        assertThatThrownBy(() -> server.leases().recall(List.of(DIRECTORY), Duration.ofMillis(50)))
                .isInstanceOf(CallTimeoutException.class)
                .hasMessageContaining("server")
                .hasMessageContaining(DIRECTORY.toString())
                .hasMessageContaining("nothing was changed");
        second.connect();
        second.read(DIRECTORY);
        assertThat(second.hasCached(DIRECTORY)).isTrue();
    }

    @Test
    void aChangeThatFailsLetsGrantsGoOn() throws Exception {
        client.connect();
        assertThatThrownBy(() -> server.leases().changing(List.of(DIRECTORY), LONG, () -> {
                    throw new java.io.IOException("disk full");
                }))
                .hasMessage("disk full");
        client.read(DIRECTORY);
        assertThat(client.hasCached(DIRECTORY)).isTrue();
    }

    @Test
    void messagesThatFitNothingAreTakenAndChangeNothing() throws Exception {
        client.connect();
        client.read(DIRECTORY);
        client.connect(link -> {
            try {
                link.send(Envelope.newBuilder()
                        .setRevokeAck(RevokeAck.newBuilder().setObject(ByteString.copyFromUtf8("short")))
                        .build());
                link.send(LeaseMessages.revokeAck(5, DIRECTORY, 1, LeaseKind.DIRECTORIES));
                link.send(LeaseMessages.release(5, DIRECTORY, 1, LeaseKind.DIRECTORIES));
                link.call(LeaseMessages.bye(5, LeaseKind.DIRECTORIES), LONG);
            } catch (java.io.IOException | InterruptedException e) {
                throw new AssertionError(e);
            }
            return link;
        });
        assertThat(client.read(OTHER)).isEqualTo(Version.NONE);
        assertThat(server.leases().leases()).isEqualTo(2);
        assertThat(client.hasCached(DIRECTORY)).isTrue();
    }

    @Test
    void aHolderWithoutALinkHasNoWant() throws Exception {
        assertThat(client.leases.want(Duration.ofMillis(20))).isEmpty();
        assertThat(client.leases.connected()).isFalse();
        client.connect();
        assertThat(client.leases.want(LONG)).isPresent();
        assertThat(client.leases.connected()).isTrue();
    }

    @Test
    void theSystemClockGoesForward() {
        BootClock clock = BootClock.system();
        long before = clock.millis();
        await().until(() -> clock.millis() > before);
    }

    private CompletableFuture<Void> change(List<FileId> directories) {
        return CompletableFuture.runAsync(
                () -> {
                    try (Recall recall = server.leases().recall(directories, LONG)) {
                        assertThat(recall).isNotNull();
                    } catch (CallTimeoutException | InterruptedException e) {
                        throw new AssertionError(e);
                    }
                },
                background);
    }
}
