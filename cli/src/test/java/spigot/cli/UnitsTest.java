package spigot.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.TypeConversionException;
import spigot.node.Json;

@DisplayName("Sizes, times and tables")
class UnitsTest {
    @ParameterizedTest
    @CsvSource({
        "4096, 4096",
        "1K, 1024",
        "10GiB, 10737418240",
        "256MiB, 268435456",
        "1.5m, 1572864",
        "2 GB, 2000000000",
        "7B, 7",
        "0, 0"
    })
    void readSizes(String text, long bytes) {
        assertThat(new ByteSize().convert(text)).isEqualTo(bytes);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {"0; 0 files", "1; 1 file", "2; 2 files", "1000; 1,000 files"})
    void countInTheSingularToo(long count, String text) {
        assertThat(Counted.files(count)).isEqualTo(text);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "x", "-1", "1 light year", "1e9", "99999999999999P"})
    void refuseWhatIsNoSize(String text) {
        assertThatThrownBy(() -> new ByteSize().convert(text)).isInstanceOf(TypeConversionException.class);
    }

    @ParameterizedTest
    @CsvSource({"0, 0 B", "1023, 1023 B", "1024, 1.00 KiB", "15728640, 15.0 MiB", "107374182400, 100 GiB"})
    void showSizes(long bytes, String text) {
        assertThat(ByteSize.format(bytes)).isEqualTo(text);
    }

    @ParameterizedTest
    @CsvSource({"500ms, PT0.5S", "30s, PT30S", "30, PT30S", "5m, PT5M", "1h, PT1H", "2d, PT48H"})
    void readTimes(String text, Duration span) {
        assertThat(new TimeSpan().convert(text)).isEqualTo(span);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "0s", "-1s", "1w", "soon", "9999999999d"})
    void refuseWhatIsNoTime(String text) {
        assertThatThrownBy(() -> new TimeSpan().convert(text)).isInstanceOf(TypeConversionException.class);
    }

    @Test
    void showTreesInColumns() throws Exception {
        assertThat(Outline.of(Json.parse("""
                        {"a_name": "x", "data_bytes_sent": 2048, "empty": "", "list": ["p", "q"],
                         "rows": [{"k": 1, "long_name": "v"}, {"k": 22}], "below": {"deep": true}}
                        """))).isEqualTo("""
                        a name           x
                        data bytes sent  2.00 KiB (2048)
                        empty            -
                        list             p, q
                        rows
                          k   long name
                          1   v
                          22  -
                        below
                          deep  true""");
    }

    @Test
    void countersOfAnIntervalAreDifferencesAtAllDepths() throws Exception {
        JsonNode before =
                Json.parse("{\"reads\":5,\"open_now\":2,\"operations\":{\"read\":{\"count\":7,\"mean_micros\":9}}}");
        JsonNode now = Json.parse(
                "{\"reads\":8,\"open_now\":3,\"operations\":{\"read\":{\"count\":9,\"mean_micros\":8},\"open\":{\"count\":1}}}");
        assertThat(Json.line(StatsVerb.difference(before, now)))
                .isEqualTo("{\"reads\":3,\"open_now\":3,\"operations\":{\"read\":{\"count\":2,\"mean_micros\":8},"
                        + "\"open\":{\"count\":1}}}");
    }
}
