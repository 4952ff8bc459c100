package spigot.node;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** JSON trees as text and files; one mapper for the process. Safe for any thread. */
public final class Json {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final long MAX_FILE_BYTES = 1 << 20;

    private Json() {}

    public static ObjectNode object() {
        return MAPPER.createObjectNode();
    }

    public static ArrayNode array() {
        return MAPPER.createArrayNode();
    }

    /** On one line. */
    public static String line(JsonNode node) {
        return node.toString();
    }

    /** For people and for files. */
    public static String pretty(JsonNode node) {
        return node.toPrettyString();
    }

    /** @throws IOException when it is no JSON object */
    public static ObjectNode parse(String text) throws IOException {
        try {
            if (MAPPER.readTree(text) instanceof ObjectNode object) {
                return object;
            }
        } catch (JsonProcessingException e) {
            throw new IOException("not JSON: " + e.getOriginalMessage(), e);
        }
        throw new IOException("not a JSON object: " + text);
    }

    /** @throws IOException when it can't be read, is larger than 1 MiB, or is no JSON object; the message names the file */
    public static ObjectNode read(Path file) throws IOException {
        if (Files.size(file) > MAX_FILE_BYTES) {
            throw new IOException(file + " is larger than " + MAX_FILE_BYTES + " bytes");
        }
        try {
            return parse(Files.readString(file));
        } catch (IOException e) {
            throw new IOException(file + " can't be read: " + NodeException.reason(e), e);
        }
    }

    /** Replaces the file atomically. */
    public static void write(Path file, JsonNode node) throws IOException {
        Path whole = file.resolveSibling(file.getFileName() + ".new");
        Files.writeString(whole, pretty(node) + "\n");
        Files.move(whole, file, StandardCopyOption.ATOMIC_MOVE);
    }
}
