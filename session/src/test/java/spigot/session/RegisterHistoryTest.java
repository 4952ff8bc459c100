package spigot.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import spigot.session.RegisterHistory.Operation;

@DisplayName("The checker of histories")
class RegisterHistoryTest {
    private static Operation write(long value, long begin, long end) {
        return new Operation(true, value, begin, end);
    }

    private static Operation read(long value, long begin, long end) {
        return new Operation(false, value, begin, end);
    }

    @Test
    @DisplayName("takes what could have happened one after the other")
    void good() {
        assertThat(RegisterHistory.fault(List.of(
                        read(0, 1, 2),
                        write(1, 1, 10),
                        read(1, 4, 6),
                        read(1, 11, 12),
                        write(2, 13, 14),
                        read(2, 15, 16))))
                .isEmpty();
        assertThat(RegisterHistory.fault(List.of(write(1, 1, 10), write(2, 1, 10), read(2, 11, 12))))
                .isEmpty();
    }

    @Test
    @DisplayName("finds an old value that is read after a newer one, or after its write ended")
    void stale() {
        assertThat(RegisterHistory.fault(List.of(write(1, 1, 2), read(0, 3, 4))))
                .isPresent();
        assertThat(RegisterHistory.fault(List.of(write(1, 1, 10), read(1, 2, 3), read(0, 4, 5))))
                .isPresent();
        assertThat(RegisterHistory.fault(List.of(write(1, 1, 2), write(2, 3, 4), read(2, 5, 6), read(1, 7, 8))))
                .isPresent();
    }

    @Test
    @DisplayName("finds a write that was lost, and a value that nobody wrote")
    void lost() {
        assertThat(RegisterHistory.fault(List.of(write(1, 1, 2), read(1, 3, 4), write(2, 5, 6), read(1, 7, 8))))
                .isPresent();
        assertThat(RegisterHistory.fault(List.of(read(9, 1, 2)))).isPresent();
        assertThat(RegisterHistory.fault(List.of(read(1, 1, 2), write(1, 3, 4))))
                .isPresent();
    }
}
