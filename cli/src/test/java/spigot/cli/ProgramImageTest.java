package spigot.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import org.bouncycastle.cert.X509CertificateHolder;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

@DisplayName("The jars of an image")
class ProgramImageTest {
    @TempDir
    Path directory;

    private static Path jarOf(Class<?> type) throws Exception {
        return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI());
    }

    @Test
    void holdClassesThatTheJvmVerifiesByTheirStackMaps() throws Exception {
        Path copy = directory.resolve("picocli.jar");
        assertThat(ProgramImage.copy(jarOf(CommandLine.class), copy)).isTrue();
        List<String> refused = new ArrayList<>();
        int loaded = 0;
        try (JarFile jar = new JarFile(copy.toFile());
                URLClassLoader loader =
                        new URLClassLoader(new URL[] {copy.toUri().toURL()}, ClassLoader.getPlatformClassLoader())) {
            for (JarEntry entry : jar.stream()
                    .filter(entry -> entry.getName().endsWith(".class")
                            && !entry.getName().startsWith("META-INF/"))
                    .toList()) {
                assertThat(jar.getInputStream(entry).readNBytes(8)[7])
                        .as(entry.getName())
                        .isEqualTo((byte) 52);
                String name = entry.getName().replace('/', '.').replace(".class", "");
                try {
                    Class.forName(name, true, loader); // which verifies it
                    loaded++;
                } catch (VerifyError | ClassFormatError e) {
                    refused.add(name + ": " + e.getMessage());
                } catch (NoClassDefFoundError e) {
                    assertThat(e.getMessage()).as("what is missing").startsWith("groovy/");
                }
            }
        }
        assertThat(refused).isEmpty();
        assertThat(loaded).isGreaterThan(200);
    }

    @Test
    void areNotSignedAndLackNothingElse() throws Exception {
        Path original = jarOf(X509CertificateHolder.class);
        Path copy = directory.resolve("signed.jar");
        assertThat(ProgramImage.copy(original, copy)).isTrue();
        try (JarFile before = new JarFile(original.toFile());
                JarFile after = new JarFile(copy.toFile())) {
            List<String> missing =
                    new ArrayList<>(before.stream().map(JarEntry::getName).toList());
            missing.removeAll(after.stream().map(JarEntry::getName).toList());
            assertThat(missing).isNotEmpty().allMatch(name -> name.matches("META-INF/[^/]+\\.(SF|RSA|DSA|EC)"));
            assertThat(after.getManifest().getMainAttributes())
                    .isEqualTo(before.getManifest().getMainAttributes());
        }
    }

    @Test
    void areTheSameFileWhenNothingIsToBeChanged() throws Exception {
        Path original = jarOf(Test.class);
        Path copy = directory.resolve("same.jar");
        assertThat(ProgramImage.copy(original, copy)).isFalse();
        assertThat(Files.mismatch(original, copy)).isEqualTo(-1);
    }
}
