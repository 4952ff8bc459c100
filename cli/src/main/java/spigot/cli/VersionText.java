package spigot.cli;

import picocli.CommandLine.IVersionProvider;

/** {@code spigot --version}. */
final class VersionText implements IVersionProvider {
    @Override
    public String[] getVersion() {
        String version = VersionText.class.getPackage().getImplementationVersion();
        return new String[] {
            "spigot " + (version == null ? "(development)" : version) + ", Java " + Runtime.version() + ", Linux "
                    + System.getProperty("os.version") + " " + System.getProperty("os.arch")
        };
    }
}
