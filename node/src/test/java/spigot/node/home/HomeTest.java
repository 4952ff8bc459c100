package spigot.node.home;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Clock;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spigot.model.NodeId;
import spigot.transport.PeerIdentity;
import spigot.transport.identity.GridAuthority;
import spigot.transport.identity.Identity;

@DisplayName("The state of a user")
class HomeTest {
    @TempDir
    Path directory;

    private SpigotHome home() {
        return new SpigotHome(directory.resolve("home"));
    }

    @Test
    void liesWhereTheEnvironmentSaysOrBelowTheHomeDirectory() {
        assertThat(SpigotHome.of(Map.of("SPIGOT_HOME", "/x/y"), "/home/u").root())
                .isEqualTo(Path.of("/x/y"));
        assertThat(SpigotHome.of(Map.of(), "/home/u").root()).isEqualTo(Path.of("/home/u/.spigot"));
        assertThat(SpigotHome.of(Map.of("SPIGOT_HOME", ""), "/home/u").root()).isEqualTo(Path.of("/home/u/.spigot"));
    }

    @Test
    void isForItsOwnerAlone() throws Exception {
        assertThat(home().exists()).isFalse();
        Path run = home().run();
        for (Path each : new Path[] {run, run.getParent()}) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(each)))
                    .isEqualTo("rwx------");
        }
    }

    @Test
    void hasARecordForEachMountAndKeepsOneThatIsNotItsOwnWhenADaemonEnds() throws Exception {
        MountRecords records = new MountRecords(home());
        assertThat(records.all()).isEmpty();
        assertThat(records.at("/mnt/a")).isEmpty();
        ProcessStamp here = ProcessStamp.ofThisProcess();
        MountRecord first = record("/mnt/a", here);
        MountRecord second = record("/mnt/b", new ProcessStamp(here.pid(), here.startTicks() + 1));
        records.write(second);
        records.write(first);
        assertThat(records.all()).containsExactly(first, second);
        assertThat(records.at("/mnt/a")).contains(first);

        MountRecord later = record("/mnt/a", new ProcessStamp(1, 2));
        records.write(later);
        records.remove(first);
        assertThat(records.at("/mnt/a")).contains(later);
        records.remove(later);
        assertThat(records.all()).containsExactly(second);
    }

    private static MountRecord record(String mountPoint, ProcessStamp daemon) {
        return new MountRecord(mountPoint, daemon, Path.of("/s.sock"), "ab", "h:1", "/cache", Path.of("/logs/x.log"));
    }

    @Test
    void tellsAProcessFromALaterOneWithTheSameNumber() throws Exception {
        ProcessStamp here = ProcessStamp.ofThisProcess();
        assertThat(here.isAlive()).isTrue();
        assertThat(new ProcessStamp(here.pid(), here.startTicks() - 1).isAlive())
                .isFalse();
        Process child = new ProcessBuilder("sleep", "60").start();
        ProcessStamp stamp = ProcessStamp.of(child.pid()).orElseThrow();
        assertThat(stamp.isAlive()).isTrue();
        child.destroyForcibly().waitFor();
        assertThat(stamp.isAlive()).isFalse();
    }

    @Test
    void hasAnIdentityForEachGridAndTriesTheOneThatWasMetAtTheAddressFirst() throws Exception {
        GridIdentities identities = new GridIdentities(home());
        assertThat(identities.candidates("a:1")).isEmpty();
        Identity one = identity("one");
        Identity two = identity("two");
        identities.store(one, "a:1");
        identities.store(two, "b:1");
        assertThat(identities.candidates("b:1"))
                .extracting(known -> known.identity().self().grid())
                .containsExactly(two.self().grid(), one.self().grid());
        identities.remember(identities.candidates("a:1").getFirst().directory(), "c:1");
        assertThat(identities.candidates("c:1").getFirst().addresses()).containsExactly("a:1", "c:1");
        assertThat(identities.candidates("c:1").getFirst().identity().self()).isEqualTo(one.self());
    }

    private Identity identity(String name) throws Exception {
        SecureRandom random = new SecureRandom();
        GridAuthority authority = GridAuthority.create(
                Files.createDirectory(directory.resolve(name)),
                NodeId.random(random),
                GridAuthority.DEFAULT_VALIDITY,
                Clock.systemUTC());
        return authority.issue(NodeId.random(random), PeerIdentity.Role.NODE, name, "here");
    }
}
