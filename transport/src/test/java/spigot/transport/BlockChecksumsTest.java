package spigot.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;
import spigot.transport.wire.Blocks;

class BlockChecksumsTest {
    private static byte[] random(int length) {
        byte[] bytes = new byte[length];
        new Random(7).nextBytes(bytes);
        return bytes;
    }

    @Test
    void theChecksumIsTheOneOfTheStandard() {
        // The check value of CRC-32C in the catalogue of parametrised CRC algorithms.
        byte[] digits = "123456789".getBytes(StandardCharsets.US_ASCII);
        assertThat(BlockChecksums.checksum(ByteBuffer.wrap(digits))).isEqualTo(0xe3069283);
        assertThat(BlockChecksums.of(ByteBuffer.wrap(digits))).containsExactly(0xe3, 0x06, 0x92, 0x83);
        assertThat(BlockChecksums.checksum(MemorySegment.ofArray(digits))).isEqualTo(0xe3069283);
    }

    @Test
    void aPayloadFitsItsDescriptionWhereverItLies() throws Exception {
        byte[] bytes = random(3 * 4096 + 17);
        ByteBuffer inTheMiddle = ByteBuffer.allocate(bytes.length + 100);
        inTheMiddle.position(50).put(bytes).flip().position(50);
        Blocks blocks = BlockChecksums.describe(8192, inTheMiddle);
        assertThat(blocks.getLength()).isEqualTo(bytes.length);
        assertThat(blocks.getChecksums().size()).isEqualTo(4 * 4);
        assertThat(inTheMiddle.position()).isEqualTo(50);
        BlockChecksums.verify(blocks, ByteBuffer.wrap(bytes));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment direct = arena.allocate(bytes.length).copyFrom(MemorySegment.ofArray(bytes));
            assertThat(BlockChecksums.describe(8192, direct)).isEqualTo(blocks);
            BlockChecksums.verify(blocks, direct.asByteBuffer());
        }
    }

    @Test
    void anyFlippedBitIsFoundAndItsBlockNamed() {
        byte[] bytes = random(3 * 4096 + 17);
        Blocks blocks = BlockChecksums.describe(8192, ByteBuffer.wrap(bytes));
        Random random = new Random(8);
        for (int i = 0; i < 500; i++) {
            int at = random.nextInt(bytes.length);
            bytes[at] ^= (byte) (1 << random.nextInt(8));
            assertThatThrownBy(() -> BlockChecksums.verify(blocks, ByteBuffer.wrap(bytes)))
                    .isInstanceOf(CorruptPayloadException.class)
                    .hasMessageContaining("offset " + (8192 + at / 4096 * 4096));
            System.arraycopy(random(bytes.length), 0, bytes, 0, bytes.length);
        }
    }

    @Test
    void lengthsThatDoNotFitAreFound() {
        byte[] bytes = random(5000);
        Blocks blocks = BlockChecksums.describe(0, ByteBuffer.wrap(bytes));
        assertThatThrownBy(() -> BlockChecksums.verify(blocks, ByteBuffer.wrap(bytes, 0, 4999)))
                .isInstanceOf(CorruptPayloadException.class);
        Blocks negative = blocks.toBuilder().setLength(-1).build();
        assertThatThrownBy(() -> BlockChecksums.verify(negative, ByteBuffer.wrap(bytes)))
                .isInstanceOf(CorruptPayloadException.class);
        Blocks fewer = blocks.toBuilder()
                .setChecksums(ByteString.copyFrom(new byte[4]))
                .build();
        assertThatThrownBy(() -> BlockChecksums.verify(fewer, ByteBuffer.wrap(bytes)))
                .isInstanceOf(CorruptPayloadException.class)
                .hasMessageContaining("4 bytes of checksums");
        Blocks zero = Blocks.newBuilder().setLength(5000).setZero(true).build();
        assertThatThrownBy(() -> BlockChecksums.verify(zero, ByteBuffer.wrap(bytes)))
                .isInstanceOf(CorruptPayloadException.class);
    }

    @Test
    void onlyZerosAreZeroAndTheirPayloadStaysAtHome() throws Exception {
        byte[] bytes = new byte[2 * 4096 + 5];
        Blocks blocks = BlockChecksums.describe(0, ByteBuffer.wrap(bytes));
        assertThat(blocks.getZero()).isTrue();
        assertThat(blocks.getChecksums()).isEqualTo(ByteString.EMPTY);
        BlockChecksums.verify(blocks, ByteBuffer.allocate(0));
        for (int at : new int[] {0, 4095, 4096, 8191, 8192, 8196}) {
            bytes[at] = 1;
            assertThat(BlockChecksums.isZero(ByteBuffer.wrap(bytes))).isFalse();
            assertThat(BlockChecksums.describe(0, ByteBuffer.wrap(bytes)).getZero())
                    .isFalse();
            bytes[at] = 0;
        }
        assertThat(BlockChecksums.describe(0, ByteBuffer.allocate(0)).getZero()).isFalse();
    }
}
