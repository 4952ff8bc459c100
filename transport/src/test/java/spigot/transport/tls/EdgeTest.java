package spigot.transport.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import spigot.model.NodeId;
import spigot.transport.TransportLimits;

/** The small decisions around a link: addresses, backoff, admission, the preface, bounds. */
class EdgeTest {
    @Test
    void addressesAreHostAndPort() {
        assertThat(HostPort.parse("10.0.0.1:7440")).isEqualTo(new HostPort("10.0.0.1", 7440));
        assertThat(HostPort.parse("[::1]:80")).isEqualTo(new HostPort("::1", 80));
        assertThat(HostPort.parse("[::1]:80")).hasToString("[::1]:80");
        for (String bad : new String[] {"", "host", "host:", ":80", "host:0", "host:65536", "host:x", "host:-1"}) {
            assertThatThrownBy(() -> HostPort.parse(bad))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("an address is HOST:PORT, not '" + bad + "'");
        }
    }

    @Test
    void pausesDoubleUpToABoundAndDiffer() {
        SplittableRandom random = new SplittableRandom(1);
        for (int failures = 1; failures < 1_000; failures++) {
            long full = failures > 6 ? Backoff.LONGEST_NANOS : Backoff.FIRST_NANOS << (failures - 1);
            assertThat(Backoff.pauseNanos(failures, random)).isBetween(full / 2, full);
        }
        assertThat(Backoff.pauseNanos(9, random)).isNotEqualTo(Backoff.pauseNanos(9, random));
    }

    @Test
    void placesAreCountedInAllAndForEachAddress() throws Exception {
        Admission admission = new Admission(new ServerLimits(3, 2, 5, 3));
        InetAddress a = InetAddress.getByName("10.0.0.1");
        InetAddress b = InetAddress.getByName("10.0.0.2");
        Admission.Place first = admission.enter(a);
        Admission.Place second = admission.enter(a);
        assertThatThrownBy(() -> admission.enter(a)).hasMessageContaining("2 connections from one address");
        Admission.Place third = admission.enter(b);
        assertThatThrownBy(() -> admission.enter(b)).hasMessageContaining("3 connections that are not");
        first.authenticated();
        first.authenticated();
        second.authenticated();
        third.authenticated();
        Admission.Place fourth = admission.enter(a);
        assertThatThrownBy(() -> admission.enter(a)).hasMessage("there are 3 connections from one address");
        fourth.close();
        fourth.close();
        Admission.Place fifth = admission.enter(a);
        Admission.Place sixth = admission.enter(b);
        assertThatThrownBy(() -> admission.enter(b)).hasMessage("there are 5 connections");
        for (Admission.Place place : new Admission.Place[] {first, second, third, fifth, sixth}) {
            place.close();
        }
        admission.enter(b).close();
    }

    @Test
    void aPrefaceComesBack() throws Exception {
        Preface preface = new Preface(false, 3, NodeId.random(new Random(1)));
        assertThat(preface.encode()).hasSize(Preface.BYTES).startsWith("SPIGOT1".getBytes(StandardCharsets.US_ASCII));
        assertThat(Preface.read(new java.io.ByteArrayInputStream(preface.encode())))
                .isEqualTo(preface);
        byte[] encoded = preface.encode();
        for (int at : new int[] {0, 6, 7, 8, 9}) {
            byte[] bad = encoded.clone();
            bad[at] = 99;
            assertThatThrownBy(() -> Preface.read(new java.io.ByteArrayInputStream(bad)))
                    .isInstanceOf(MalformedFrameException.class);
        }
    }

    @Test
    void limitsThatMakeNoSenseAreRefused() {
        TransportLimits limits = TransportLimits.DEFAULT;
        assertThatThrownBy(() -> limits.withBulkConnections(0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> limits.withBulkConnections(17)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new TransportLimits.Frames(10, 100, 20)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new TransportLimits.Queues(0, 1, 1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> limits.withKeepalive(java.time.Duration.ofSeconds(2), java.time.Duration.ofSeconds(2)))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new ServerLimits(1, 1, 0, 1)).isInstanceOf(IllegalArgumentException.class);
    }
}
