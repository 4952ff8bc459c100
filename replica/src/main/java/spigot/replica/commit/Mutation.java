package spigot.replica.commit;

import java.nio.ByteBuffer;
import java.util.List;

/** A change of the content of one file. All offsets and lengths are in bytes. */
public sealed interface Mutation {
    /** The bytes between the buffer's position and limit, which are not moved; nobody may change them before the commit has ended. */
    record Piece(long offset, ByteBuffer bytes) {}

    /** One commit of several ranges; of those that overlap, the last one wins. */
    record Write(List<Piece> pieces) implements Mutation {
        public Write {
            pieces = List.copyOf(pieces);
        }

        public static Write of(long offset, ByteBuffer bytes) {
            return new Write(List.of(new Piece(offset, bytes)));
        }
    }

    /** At the end of the file, wherever it is when its turn comes. */
    record Append(ByteBuffer bytes) implements Mutation {}

    /** Cuts, or grows by zeros. */
    record Resize(long size) implements Mutation {}

    /** Makes the part of the range that is within the file read as zeros. */
    record Punch(long offset, long length) implements Mutation {}

    /** Makes the range read as zeros; the file grows when it ends behind the end. Space is not reserved. */
    record Zero(long offset, long length) implements Mutation {}
}
