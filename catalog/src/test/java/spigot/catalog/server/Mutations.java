package spigot.catalog.server;

import com.google.protobuf.ByteString;
import spigot.model.FileId;
import spigot.transport.Messages;
import spigot.transport.wire.Attributes;
import spigot.transport.wire.Mutation;

/** Short for the mutations of a change of names. */
final class Mutations {
    private Mutations() {}

    static FileId id(long low) {
        return new FileId(Long.MIN_VALUE | 77, low);
    }

    private static ByteString text(String name) {
        return ByteString.copyFromUtf8(name);
    }

    static Mutation add(FileId directory, String name, FileId id, Attributes attributes) {
        return Mutation.newBuilder()
                .setAdd(Mutation.Add.newBuilder()
                        .setDirectory(Messages.bytes(directory))
                        .setName(text(name))
                        .setId(Messages.bytes(id))
                        .setAttributes(attributes))
                .build();
    }

    static Mutation link(FileId directory, String name, FileId id) {
        return Mutation.newBuilder()
                .setAdd(Mutation.Add.newBuilder()
                        .setDirectory(Messages.bytes(directory))
                        .setName(text(name))
                        .setId(Messages.bytes(id))
                        .setExisting(true))
                .build();
    }

    static Mutation remove(FileId directory, String name, FileId id) {
        return Mutation.newBuilder()
                .setRemove(Mutation.Remove.newBuilder()
                        .setDirectory(Messages.bytes(directory))
                        .setName(text(name))
                        .setId(Messages.bytes(id)))
                .build();
    }

    static Mutation move(FileId directory, String name, FileId id, FileId toDirectory, String toName) {
        return Mutation.newBuilder()
                .setMove(Mutation.Move.newBuilder()
                        .setDirectory(Messages.bytes(directory))
                        .setName(text(name))
                        .setId(Messages.bytes(id))
                        .setToDirectory(Messages.bytes(toDirectory))
                        .setToName(text(toName)))
                .build();
    }

    static Mutation moveOver(
            FileId directory, String name, FileId id, FileId toDirectory, String toName, FileId replaces) {
        Mutation move = move(directory, name, id, toDirectory, toName);
        return move.toBuilder()
                .setMove(move.getMove().toBuilder().setReplaces(Messages.bytes(replaces)))
                .build();
    }

    static Mutation exchange(FileId directory, String name, FileId id, FileId toDirectory, String toName, FileId toId) {
        return Mutation.newBuilder()
                .setExchange(Mutation.Exchange.newBuilder()
                        .setDirectory(Messages.bytes(directory))
                        .setName(text(name))
                        .setId(Messages.bytes(id))
                        .setToDirectory(Messages.bytes(toDirectory))
                        .setToName(text(toName))
                        .setToId(Messages.bytes(toId)))
                .build();
    }

    static Mutation set(FileId id, Attributes attributes, boolean content) {
        return Mutation.newBuilder()
                .setSet(Mutation.Set.newBuilder()
                        .setId(Messages.bytes(id))
                        .setAttributes(attributes)
                        .setContentChanged(content))
                .build();
    }
}
