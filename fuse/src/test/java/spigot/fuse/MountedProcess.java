package spigot.fuse;

import java.nio.file.Path;

/** A process of its own that mounts a file system: for tests that kill it. Says "mounted", or what hindered it. */
final class MountedProcess {
    private MountedProcess() {}

    public static void main(String[] arguments) throws Exception {
        MemoryFileSystem files = new MemoryFileSystem();
        files.addFile("f", new byte[] {'x'});
        try {
            FuseSession session = FuseMount.mount(Path.of(arguments[0]), MountOptions.defaults(), files);
            System.out.println("mounted");
            if (System.in.read() >= 0) {
                session.unmount();
                System.out.println("unmounted");
            } else {
                session.await();
            }
        } catch (FuseException e) {
            System.out.println("error: " + e.getMessage());
        }
    }
}
