package spigot.replica;

import spigot.model.FileId;
import spigot.model.RawBytes;

/** One name of a file: the directory it is in, and the id that the name leads to. */
record IndexedName(FileId directory, RawBytes name, FileId id) {}
