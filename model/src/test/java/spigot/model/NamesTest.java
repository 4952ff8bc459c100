package spigot.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("Names and paths")
class NamesTest {
    @Test
    void areParsedAndPrintedAgain() {
        LogicalPath path = LogicalPath.parse("/data//2026/run7.h5/");
        assertThat(path.names()).containsExactly(FileName.of("data"), FileName.of("2026"), FileName.of("run7.h5"));
        assertThat(path).hasToString("/data/2026/run7.h5");
        assertThat(LogicalPath.parse("/")).isEqualTo(LogicalPath.ROOT);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "data", "/data/../etc", "/./x"})
    void areAbsoluteAndWithoutDots(String text) {
        assertThatThrownBy(() -> LogicalPath.parse(text)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void keepBytesThatAreNotUtf8AndShowThemEscaped() {
        byte[] raw = {'/', 'a', (byte) 0xff, '\n'};
        LogicalPath path = LogicalPath.parse(RawBytes.copyOf(raw));
        assertThat(path.names().getFirst().toArray()).containsExactly('a', 0xff, '\n');
        assertThat(path).hasToString("/a\\xff\\x0a");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ".", "..", "a/b", "a\0b"})
    void refuseWhatTheKernelWouldRefuse(String text) {
        assertThatThrownBy(() -> FileName.of(text)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void haveAtMost255Bytes() {
        assertThat(FileName.of("x".repeat(255)).toArray()).hasSize(255);
        assertThatThrownBy(() -> FileName.of("x".repeat(256))).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> FileName.of("\u00fc".repeat(128))).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void areOrderedByUnsignedBytes() {
        assertThat(FileName.of("a")).isLessThan(FileName.of("\u00e4"));
        assertThat(FileName.of("...")).isGreaterThan(FileName.of("-"));
    }
}
