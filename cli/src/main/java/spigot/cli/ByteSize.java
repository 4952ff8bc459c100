package spigot.cli;

import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** A number of bytes as people write it: {@code 10GiB}, {@code 256M}, {@code 1.5GB}, {@code 4096}. */
final class ByteSize implements ITypeConverter<Long> {
    private static final Pattern FORM = Pattern.compile("(\\d+(?:\\.\\d+)?)\\s*([KMGTP]?)(I?)(B?)");
    private static final Map<String, Integer> POWERS = Map.of("", 0, "K", 1, "M", 2, "G", 3, "T", 4, "P", 5);
    private static final String[] UNITS = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};

    @Override
    public Long convert(String text) {
        Matcher matcher = FORM.matcher(text.strip().toUpperCase(Locale.ROOT));
        if (matcher.matches()) {
            // As in GNU coreutils: K and KiB are 1024, KB is 1000.
            boolean decimal = matcher.group(3).isEmpty() && !matcher.group(4).isEmpty();
            double unit = Math.pow(decimal ? 1000 : 1024, Objects.requireNonNull(POWERS.get(matcher.group(2))));
            double bytes = Double.parseDouble(matcher.group(1)) * unit;
            if (bytes < Long.MAX_VALUE) {
                return (long) bytes;
            }
        }
        throw new TypeConversionException("'" + text + "' is no size: write it as 10GiB, 256MiB or 4096");
    }

    /** With three digits or so: {@code 1.5 MiB}. */
    static String format(long bytes) {
        double value = bytes;
        int unit = 0;
        while (value >= 1024 && unit < UNITS.length - 1) {
            value /= 1024;
            unit++;
        }
        return unit == 0
                ? bytes + " B"
                : String.format(
                        Locale.ROOT, value < 10 ? "%.2f %s" : value < 100 ? "%.1f %s" : "%.0f %s", value, UNITS[unit]);
    }
}
