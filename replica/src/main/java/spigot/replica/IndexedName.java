package spigot.replica;

import spigot.model.FileId;

/** One name of a file: the directory it is in, and the id that the name leads to. The array is not to be changed. */
record IndexedName(FileId directory, byte[] name, FileId id) {}
