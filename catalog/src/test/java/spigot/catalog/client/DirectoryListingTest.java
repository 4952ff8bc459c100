package spigot.catalog.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import spigot.model.Attributes;
import spigot.model.FileId;
import spigot.model.FileKind;
import spigot.model.FileName;
import spigot.model.FileRecord;
import spigot.model.NodeId;
import spigot.model.RawBytes;
import spigot.model.Version;
import spigot.model.XattrKinds;
import spigot.transport.FailureException;

class DirectoryListingTest {
    private static final long SEED = Long.getLong("spigot.seed", new Random().nextLong());

    private final Random random = new Random(SEED);

    @Test
    void givesBackWhatWasPacked() throws Exception {
        System.out.println("spigot.seed=" + SEED);
        TreeMap<FileName, FileRecord> expected = new TreeMap<>();
        while (expected.size() < 1000) {
            expected.put(name(), record());
        }
        DirectoryListing.Builder builder = new DirectoryListing.Builder();
        for (var entry : expected.entrySet()) {
            builder.add(entry.getKey(), entry.getValue());
        }
        FileRecord own = record();
        DirectoryListing listing = builder.build(own, FileId.ROOT);
        assertThat(listing.own()).isEqualTo(own);
        assertThat(listing.parent()).isEqualTo(FileId.ROOT);
        assertThat(listing.size()).isEqualTo(expected.size());
        List<FileName> names = new ArrayList<>(expected.keySet());
        for (int i = 0; i < names.size(); i++) {
            FileRecord record = Objects.requireNonNull(expected.get(names.get(i)));
            assertThat(listing.name(i)).isEqualTo(names.get(i));
            assertThat(listing.record(i)).isEqualTo(record);
            assertThat(listing.id(i)).isEqualTo(record.id());
            assertThat(listing.kind(i)).isEqualTo(record.attributes().kind());
            assertThat(listing.find(names.get(i))).isEqualTo(i);
        }
        for (int i = 0; i < 1000; i++) {
            FileName other = name();
            assertThat(listing.lookup(other).isPresent()).isEqualTo(expected.containsKey(other));
        }
    }

    @Test
    void refusesNamesThatComeInAnotherOrder() throws Exception {
        DirectoryListing.Builder builder = new DirectoryListing.Builder();
        builder.add(FileName.of("b"), record());
        assertThatThrownBy(() -> builder.add(FileName.of("a"), record())).isInstanceOf(FailureException.class);
        assertThatThrownBy(() -> builder.add(FileName.of("b"), record())).isInstanceOf(FailureException.class);
    }

    @Test
    void takesLessThan150BytesForAUsualEntry() throws Exception {
        DirectoryListing.Builder builder = new DirectoryListing.Builder();
        TreeSet<FileName> names = new TreeSet<>();
        for (int i = 0; i < 10_000; i++) {
            names.add(FileName.of("run-2026-11-" + i + ".nc"));
        }
        for (FileName name : names) {
            builder.add(name, record());
        }
        assertThat(builder.build(record(), FileId.ROOT).memoryBytes() / 10_000).isLessThan(150);
    }

    private FileName name() {
        byte[] bytes = new byte[1 + random.nextInt(random.nextInt(20) == 0 ? 255 : 3)];
        for (int i = 0; i < bytes.length; i++) {
            byte b = (byte) random.nextInt();
            bytes[i] = b == 0 || b == '/' || b == '.' ? (byte) '\n' : b;
        }
        return FileName.of(bytes);
    }

    private FileRecord record() {
        FileKind kind = List.of(FileKind.values()).get(random.nextInt(FileKind.values().length));
        long modified = 1_700_000_000_000_000_000L + random.nextLong(1_000_000_000_000L);
        Attributes attributes = new Attributes(
                kind,
                random.nextInt(07777),
                random.nextInt(100) == 0 ? -2 : 1000,
                random.nextInt(5000),
                random.nextLong(1L << random.nextInt(1, 60)),
                random.nextLong(1 << 20),
                random.nextInt(3),
                modified,
                modified + random.nextInt(1000),
                modified - random.nextInt(1000),
                random.nextBoolean() ? 0 : modified,
                random.nextInt(10) == 0 ? -1 : 0,
                new XattrKinds(random.nextInt(32)));
        RawBytes target =
                kind == FileKind.SYMLINK ? RawBytes.ofUtf8("../somewhere/" + random.nextInt()) : RawBytes.EMPTY;
        NodeId home = kind == FileKind.DIRECTORY ? NodeId.NONE : new NodeId(random.nextInt(4), 1);
        return new FileRecord(
                FileId.random(random),
                attributes,
                new Version(random.nextInt(3), random.nextInt(100_000)),
                random.nextBoolean() ? 1 << 20 : 4096,
                home,
                random.nextInt(5),
                target,
                random.nextBoolean());
    }
}
