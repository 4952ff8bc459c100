package spigot.node.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import spigot.node.NodeException;

@DisplayName("The HTTP endpoint")
class HttpEndpointTest {
    private final AtomicReference<HttpEndpoint.Health> health =
            new AtomicReference<>(new HttpEndpoint.Health(true, "ok"));
    private HttpEndpoint endpoint;

    @BeforeEach
    void listen() throws Exception {
        endpoint = HttpEndpoint.listen(
                new InetSocketAddress("127.0.0.1", 0),
                () -> new MetricsText()
                        .counter("spigot_x_total", "What\nit is.", 3)
                        .process()
                        .toString(),
                () -> "{}",
                health::get);
    }

    @AfterEach
    void close() {
        endpoint.close();
    }

    private HttpResponse<String> ask(String method, String path) throws Exception {
        try (HttpClient client = HttpClient.newHttpClient()) {
            return client.send(
                    HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + endpoint.port() + path))
                            .method(method, HttpRequest.BodyPublishers.noBody())
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
        }
    }

    @Test
    void showsMetricsInTheFormatOfPrometheus() throws Exception {
        HttpResponse<String> response = ask("GET", "/metrics");
        assertThat(response.headers().firstValue("Content-Type").orElseThrow()).startsWith("text/plain; version=0.0.4");
        assertThat(response.body())
                .contains("# HELP spigot_x_total What\\nit is.\n# TYPE spigot_x_total counter\nspigot_x_total 3\n");
        assertThat(response.body().lines())
                .allMatch(line -> line.startsWith("# ") || line.matches("[a-z_]+ -?[0-9.]+"));
        assertThat(response.body()).containsPattern("process_resident_memory_bytes [1-9]");
    }

    @Test
    void saysWhetherTheProcessIsWell() throws Exception {
        assertThat(ask("GET", "/health").statusCode()).isEqualTo(200);
        health.set(new HttpEndpoint.Health(false, "the catalog is silent"));
        HttpResponse<String> response = ask("GET", "/health");
        assertThat(response.statusCode()).isEqualTo(503);
        assertThat(response.body()).contains("the catalog is silent");
    }

    @Test
    void onlyReads() throws Exception {
        assertThat(ask("POST", "/status").statusCode()).isEqualTo(405);
        assertThat(ask("HEAD", "/status").statusCode()).isEqualTo(200);
        assertThat(ask("GET", "/etc/passwd").statusCode()).isEqualTo(404);
    }

    @Test
    void saysWhichAddressIsInUse() {
        assertThatThrownBy(() -> HttpEndpoint.listen(
                        new InetSocketAddress("127.0.0.1", endpoint.port()), () -> "", () -> "", health::get))
                .isInstanceOf(NodeException.class)
                .hasMessageContaining("127.0.0.1:" + endpoint.port())
                .hasMessageContaining("--http");
    }
}
