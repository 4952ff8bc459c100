package spigot.cli.demo;

/**
 * One program's run on the mount.
 *
 * @param asked bytes that it read
 * @param moved bytes of files that travelled for it
 * @param whole size of the files that it read from: what copying them first would have moved
 * @param same whether its output was that of the same program on the original files
 */
record Measured(String program, long asked, long moved, long whole, long nanos, boolean same) {}
