package spigot.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Shows a JSON tree to people: names and values in columns, lists of objects as tables, nested things indented. */
final class Outline {
    private static final String INDENT = "  ";

    private final StringBuilder text = new StringBuilder();

    private Outline() {}

    static String of(JsonNode node) {
        Outline outline = new Outline();
        outline.object(node, "");
        return outline.text.toString().stripTrailing();
    }

    private void object(JsonNode object, String indent) {
        int width = 0;
        for (Map.Entry<String, JsonNode> field : object.properties()) {
            width = Math.max(width, field.getKey().length());
        }
        for (Map.Entry<String, JsonNode> field : object.properties()) {
            JsonNode value = field.getValue();
            String name = field.getKey().replace('_', ' ');
            if (value.isObject()) {
                text.append(indent).append(name).append('\n');
                object(value, indent + INDENT);
            } else if (value.isArray() && !value.isEmpty() && value.get(0).isObject()) {
                text.append(indent).append(name).append('\n');
                table(value, indent + INDENT);
            } else {
                text.append(indent)
                        .append(name)
                        .append(" ".repeat(width + 2 - name.length()))
                        .append(scalar(field.getKey(), value))
                        .append('\n');
            }
        }
    }

    private void table(JsonNode rows, String indent) {
        List<String> columns = new ArrayList<>();
        rows.get(0).fieldNames().forEachRemaining(columns::add);
        List<List<String>> cells = new ArrayList<>();
        cells.add(columns.stream().map(name -> name.replace('_', ' ')).toList());
        for (JsonNode row : rows) {
            cells.add(columns.stream().map(name -> scalar(name, row.path(name))).toList());
        }
        int[] widths = new int[columns.size()];
        for (List<String> row : cells) {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], row.get(i).length());
            }
        }
        for (List<String> row : cells) {
            StringBuilder line = new StringBuilder(indent);
            for (int i = 0; i < widths.length; i++) {
                line.append(row.get(i))
                        .append(" ".repeat(widths[i] + 2 - row.get(i).length()));
            }
            text.append(line.toString().stripTrailing()).append('\n');
        }
    }

    private static String scalar(String name, JsonNode value) {
        if (value.isMissingNode() || value.isNull()) {
            return "-";
        }
        if (value.isArray()) {
            List<String> parts = new ArrayList<>();
            value.forEach(part -> parts.add(part.asText()));
            return parts.isEmpty() ? "-" : String.join(", ", parts);
        }
        if (value.isIntegralNumber()
                && (name.endsWith("bytes") || name.contains("_bytes_"))
                && value.asLong() >= 1024) {
            return ByteSize.format(value.asLong()) + " (" + value.asText() + ")";
        }
        String plain = value.asText();
        return plain.isEmpty() ? "-" : plain;
    }
}
