package spigot.mount;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class HandleTableTest {
    @Test
    void givesNumbersOutOnceAndAgainWhenTheyAreFree() {
        HandleTable<String> table = new HandleTable<>(10_000);
        for (int i = 1; i <= 5000; i++) {
            assertThat(table.add("h" + i)).isEqualTo(i);
        }
        assertThat(table.get(1024)).isEqualTo("h1024");
        assertThat(table.remove(1024)).isEqualTo("h1024");
        assertThat(table.remove(1024)).isNull();
        assertThat(table.get(1024)).isNull();
        assertThat(table.add("again")).isEqualTo(1024);
        assertThat(table.size()).isEqualTo(5000);
    }

    @Test
    void refusesMoreThanItsLimitAndNumbersThatItNeverGave() {
        HandleTable<String> table = new HandleTable<>(2);
        table.add("a");
        table.add("b");
        assertThat(table.add("c")).isZero();
        assertThat(table.get(0)).isNull();
        assertThat(table.get(-1)).isNull();
        assertThat(table.get(Long.MAX_VALUE)).isNull();
        assertThat(table.removeAll()).containsExactly("a", "b");
        assertThat(table.add("c")).isPositive();
    }
}
