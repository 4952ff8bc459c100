package spigot.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassFileVersion;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassTransform;
import java.lang.constant.ClassDesc;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Enumeration;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.regex.Pattern;
import java.util.zip.Deflater;
import java.util.zip.ZipEntry;
import org.jspecify.annotations.Nullable;

/**
 * Copies the jars of the program into a directory of their own, which {@code ./spigot} does after a build: an image never changes under a
 * process that runs. The copies are such that a cache of loaded classes (JEP 483) can hold all of them: it takes none of a signed jar, nor
 * of one for Java 5, and those two kinds would cost half of the time of a start. So signatures are left out, and classes of such an old format
 * get the newest one, with the stack maps that it demands. Not for users.
 */
public final class ProgramImage {
    /** The oldest format that can be checked without running it: Java 6 (JVMS 4.10). */
    private static final int OLDEST_MAJOR = ClassFile.JAVA_6_VERSION;

    private static final ClassFileVersion NEW_FORMAT = ClassFileVersion.of(ClassFile.JAVA_8_VERSION, 0);
    private static final int MAJOR_OFFSET = 6; // JVMS 4.1
    private static final Pattern SIGNATURE = Pattern.compile("META-INF/[^/]+\\.(SF|RSA|DSA|EC)");
    private static final Pattern OWN = Pattern.compile(".*-0\\.1\\.0\\.jar");

    private ProgramImage() {}

    /** @param arguments the directory with the jars, and the new one */
    public static void main(String[] arguments) throws IOException {
        Path to = Path.of(arguments[1]);
        try (DirectoryStream<Path> jars = Files.newDirectoryStream(Path.of(arguments[0]), "*.jar")) {
            for (Path jar : jars) {
                copy(jar, to.resolve(jar.getFileName()));
            }
        }
    }

    /** @return whether the copy differs */
    static boolean copy(Path jar, Path to) throws IOException {
        try (JarFile from = new JarFile(jar.toFile(), false)) {
            if (isSigned(from) || isOld(from)) {
                try (OutputStream out = Files.newOutputStream(to)) {
                    rewrite(from, out);
                }
                return true;
            }
        }
        if (OWN.matcher(to.toString()).matches()) {
            Files.copy(jar, to, StandardCopyOption.COPY_ATTRIBUTES);
        } else {
            // Those of others are only ever replaced by another file.
            linkOrCopy(jar, to);
        }
        return false;
    }

    private static void linkOrCopy(Path jar, Path to) throws IOException {
        try {
            Files.createLink(to, jar);
        } catch (IOException | UnsupportedOperationException e) {
            Files.copy(jar, to, StandardCopyOption.COPY_ATTRIBUTES);
        }
    }

    private static boolean isSigned(JarFile jar) {
        return jar.stream().anyMatch(entry -> SIGNATURE.matcher(entry.getName()).matches());
    }

    /** By its first class: a jar is compiled as a whole. */
    private static boolean isOld(JarFile jar) throws IOException {
        JarEntry first = jar.stream()
                .filter(entry ->
                        entry.getName().endsWith(".class") && !entry.getName().startsWith("META-INF/"))
                .findFirst()
                .orElse(null);
        if (first == null) {
            return false;
        }
        try (InputStream in = jar.getInputStream(first)) {
            return major(in.readNBytes(MAJOR_OFFSET + 2)) < OLDEST_MAJOR;
        }
    }

    private static int major(byte[] classFile) {
        return (classFile[MAJOR_OFFSET] & 0xff) << 8 | classFile[MAJOR_OFFSET + 1] & 0xff;
    }

    private static void rewrite(JarFile from, OutputStream to) throws IOException {
        ClassHierarchyResolver hierarchy = ClassHierarchyResolver.ofResourceParsing(type -> open(from, type))
                .orElse(ClassHierarchyResolver.defaultResolver())
                .cached();
        ClassFile format = ClassFile.of(
                ClassFile.ClassHierarchyResolverOption.of(hierarchy), ClassFile.StackMapsOption.GENERATE_STACK_MAPS);
        try (JarOutputStream out = new JarOutputStream(to)) {
            out.setLevel(Deflater.BEST_SPEED);
            Manifest manifest = from.getManifest();
            if (manifest != null) {
                out.putNextEntry(new ZipEntry(JarFile.MANIFEST_NAME));
                main(manifest).write(out);
            }
            for (Enumeration<JarEntry> entries = from.entries(); entries.hasMoreElements(); ) {
                JarEntry entry = entries.nextElement();
                String name = entry.getName();
                if (name.equals(JarFile.MANIFEST_NAME)
                        || SIGNATURE.matcher(name).matches()) {
                    continue;
                }
                byte[] bytes;
                try (InputStream in = from.getInputStream(entry)) {
                    bytes = in.readAllBytes();
                }
                ZipEntry copy = new ZipEntry(name);
                copy.setTime(entry.getTime());
                out.putNextEntry(copy);
                out.write(name.endsWith(".class") && major(bytes) < OLDEST_MAJOR ? renewed(format, bytes) : bytes);
            }
        }
    }

    /** Without the sections of single entries, which hold what the signature is over. */
    private static Manifest main(Manifest manifest) {
        Manifest main = new Manifest();
        for (var attribute : manifest.getMainAttributes().entrySet()) {
            main.getMainAttributes().put((Attributes.Name) attribute.getKey(), attribute.getValue());
        }
        return main;
    }

    private static byte[] renewed(ClassFile format, byte[] old) {
        // Each instruction is written anew: a method that is copied as a whole would stay without a stack map.
        ClassTransform code = ClassTransform.transformingMethodBodies((builder, element) -> builder.with(element));
        ClassTransform version =
                (builder, element) -> builder.with(element instanceof ClassFileVersion ? NEW_FORMAT : element);
        return format.transformClass(format.parse(old), version.andThen(code));
    }

    private static @Nullable InputStream open(JarFile jar, ClassDesc type) {
        String descriptor = type.descriptorString();
        JarEntry entry = jar.getJarEntry(descriptor.substring(1, descriptor.length() - 1) + ".class");
        try {
            return entry == null ? null : jar.getInputStream(entry);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
