package spigot.testbed;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.time.Clock;
import java.time.Instant;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("The modules")
class ArchitectureTest {
    private static JavaClasses classes;

    @BeforeAll
    static void read() {
        classes = new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .importPackages("spigot");
        assertThat(classes.size()).isGreaterThan(50);
    }

    @Test
    void dependOneWay() {
        layeredArchitecture()
                .consideringOnlyDependenciesInAnyPackage("spigot..")
                .layer("model")
                .definedBy("spigot.model..")
                .layer("linux")
                .definedBy("spigot.linux..")
                .layer("fuse")
                .definedBy("spigot.fuse..")
                .layer("coherence")
                .definedBy("spigot.coherence..")
                .layer("transport")
                .definedBy("spigot.transport..")
                .layer("session")
                .definedBy("spigot.session..")
                .layer("catalog")
                .definedBy("spigot.catalog..")
                .layer("replica")
                .definedBy("spigot.replica..")
                .layer("cache")
                .definedBy("spigot.cache..")
                .layer("mount")
                .definedBy("spigot.mount..")
                .layer("node")
                .definedBy("spigot.node..")
                .layer("cli")
                .definedBy("spigot.cli..")
                .layer("testbed")
                .definedBy("spigot.testbed..")
                .whereLayer("testbed")
                .mayNotBeAccessedByAnyLayer()
                .whereLayer("cli")
                .mayOnlyBeAccessedByLayers("testbed")
                .whereLayer("node")
                .mayOnlyBeAccessedByLayers("cli", "testbed")
                .whereLayer("mount")
                .mayOnlyBeAccessedByLayers("node", "testbed")
                .whereLayer("replica")
                .mayOnlyBeAccessedByLayers("node", "testbed")
                .whereLayer("cache")
                .mayOnlyBeAccessedByLayers("mount", "node", "cli", "testbed")
                .whereLayer("catalog")
                .mayOnlyBeAccessedByLayers("replica", "cache", "mount", "node", "testbed")
                .whereLayer("session")
                .mayOnlyBeAccessedByLayers("catalog", "replica", "cache", "mount", "node", "testbed")
                .whereLayer("fuse")
                .mayOnlyBeAccessedByLayers("mount", "node", "testbed")
                .whereLayer("coherence")
                .mayOnlyBeAccessedByLayers("session", "catalog", "replica", "cache", "mount", "node", "testbed")
                .check(classes);
    }

    @Test
    void keepTheFuseLibraryFreeOfSpigot() {
        noClasses()
                .that()
                .resideInAPackage("spigot.fuse..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("spigot.model..", "spigot.coherence..", "spigot.transport..", "spigot.catalog..")
                .check(classes);
    }

    @Test
    void keepTheProtocolMachinesFreeOfTimeChanceThreadsAndInputOutput() {
        noClasses()
                .that()
                .resideInAPackage("spigot.coherence..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "java.io..",
                        "java.nio.file..",
                        "java.nio.channels..",
                        "java.net..",
                        "java.util.concurrent..",
                        "java.lang.foreign..",
                        "spigot.transport..")
                .orShould()
                .dependOnClassesThat()
                .belongToAnyOf(
                        Thread.class, ThreadLocalRandom.class, java.util.Random.class, Clock.class, Instant.class)
                .orShould()
                .callMethod(System.class, "nanoTime")
                .orShould()
                .callMethod(System.class, "currentTimeMillis")
                .check(classes);
    }
}
