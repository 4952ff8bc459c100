package spigot.mount;

/** What is counted: the operations that programs cause at the mount. */
public enum Operation {
    LOOKUP,
    GETATTR,
    READLINK,
    OPEN,
    READ,
    RELEASE,
    OPENDIR,
    READDIR,
    RELEASEDIR,
    GETXATTR,
    LISTXATTR,
    LSEEK,
    STATFS
}
