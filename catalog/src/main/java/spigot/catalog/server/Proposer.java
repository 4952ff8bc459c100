package spigot.catalog.server;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.random.RandomGenerator;
import spigot.catalog.server.state.Command;
import spigot.catalog.server.state.Outcome;
import spigot.coherence.GrantorAction;
import spigot.coherence.GrantorEvent;
import spigot.model.FileId;
import spigot.model.NodeId;
import spigot.model.Version;
import spigot.session.ActorRecall;
import spigot.session.LeaseGrantor;
import spigot.transport.CallTimeoutException;
import spigot.transport.FailureException;
import spigot.transport.Messages;
import spigot.transport.wire.Failure;
import spigot.transport.wire.OwnChange;

/**
 * Brings changes about. A command is first tried on a view, without effect: one that would change nothing, or is refused, ends
 * there, without a write. Otherwise the leases on the directories that it would change are taken back, and it goes into the log
 * together with the list of these; if other changes meanwhile made it touch more, it has no effect and is tried again. Safe for
 * any thread; blocks.
 */
final class Proposer {
    private static final int MAX_ATTEMPTS = 8;
    private static final int SEED_BYTES = 16;
    private static final int RETRY_MILLIS = 200;

    private final CatalogLog log;
    private final LeaseGrantor grantor;
    private final Duration patience;
    private final InstantSource clock;
    private final RandomGenerator random;
    private final Unseen unseen;

    Proposer(
            CatalogLog log,
            LeaseGrantor grantor,
            Duration patience,
            InstantSource clock,
            RandomGenerator random,
            Unseen unseen) {
        this.log = log;
        this.grantor = grantor;
        this.patience = patience;
        this.clock = clock;
        this.random = random;
        this.unseen = unseen;
    }

    /** A command without a body. */
    static Command.Builder command(NodeId server, InstantSource clock, RandomGenerator random) {
        byte[] seed = new byte[SEED_BYTES];
        random.nextBytes(seed);
        Command.Builder command =
                Command.newBuilder().setSeed(ByteString.copyFrom(seed)).setTimeNanos(nanos(clock.instant()));
        if (!server.equals(NodeId.NONE)) {
            command.setServer(Messages.bytes(server));
        }
        return command;
    }

    Command.Builder command(NodeId server) {
        return command(server, clock, random);
    }

    static long nanos(Instant time) {
        return time.getEpochSecond() * 1_000_000_000L + time.getNano();
    }

    /**
     * @throws FailureException when the command is refused; NOT_READY when leases could not be taken back in time, or others
     *     changed the same directories again and again
     */
    Outcome propose(Command command) throws IOException, InterruptedException {
        return propose(command, Optional.empty()).outcome();
    }

    /** What a command did, and what is to be told to its actor. */
    record Done(Outcome outcome, Optional<OwnChange> own) {}

    /** @param actor whose leases stay; the change stays open until it has seen it */
    Done propose(Command command, Optional<GrantorEvent.Actor> actor) throws IOException, InterruptedException {
        Set<FileId> touched = new TreeSet<>();
        try (View view = log.read()) {
            Namespace.Result rehearsed = Namespace.apply(command, new Transaction(view));
            touched.addAll(rehearsed.touched());
            if (touched.isEmpty() && !rehearsed.changes()) {
                return new Done(accepted(rehearsed.outcome()), Optional.empty());
            }
        }
        for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
            Done done = recallAndPropose(command, touched, actor);
            if (done.outcome().getNeedsRecallCount() == 0) {
                accepted(done.outcome());
                return done;
            }
            for (ByteString directory : done.outcome().getNeedsRecallList()) {
                touched.add(Messages.fileId(directory));
            }
        }
        throw notReady("others change the same directories all the time");
    }

    private Done recallAndPropose(Command command, Set<FileId> touched, Optional<GrantorEvent.Actor> actor)
            throws IOException, InterruptedException {
        if (touched.isEmpty()) {
            return new Done(log.propose(command), Optional.empty());
        }
        Command.Builder recalled = command.toBuilder();
        List<Long> seen = actor.isEmpty() ? List.of() : unseen.seen();
        if (actor.isPresent()) {
            recalled.setOwn(unseen.next()).addAllSeen(seen);
        }
        for (FileId directory : touched) {
            recalled.addRecalled(Messages.bytes(directory));
        }
        try (ActorRecall recall = grantor.recall(touched, actor, patience)) {
            Map<FileId, Version> before = actor.isEmpty() ? Map.of() : versions(touched);
            Outcome outcome = proposeRecalled(recalled.build(), recall);
            // What was said to have been seen is deleted only by a command that has an effect.
            boolean made = !outcome.hasFailure() && outcome.getNeedsRecallCount() == 0;
            if (actor.isEmpty() || !made) {
                return new Done(outcome, Optional.empty());
            }
            unseen.deleted(seen);
            Optional<GrantorAction.OwnChange> own = recall.visible(() -> unseen.saw(recalled.getOwn()));
            return new Done(outcome, own.isEmpty() ? Optional.empty() : Optional.of(wire(own.get(), before)));
        } catch (CallTimeoutException e) {
            throw notReady("the leases on " + touched.size() + " directories could not be taken back within "
                    + patience.toMillis() + " ms: " + e.getMessage());
        }
    }

    private Outcome proposeRecalled(Command command, ActorRecall recall) throws IOException, InterruptedException {
        boolean known = false;
        try {
            Outcome outcome = log.propose(command);
            known = true;
            return outcome;
        } finally {
            if (!known) {
                // It may have taken effect: an actor's leases must not outlive that. Nobody tells it what to see, so
                // its session ends.
                recall.visible(() -> unseen.saw(command.getOwn()));
            }
        }
    }

    private Map<FileId, Version> versions(Set<FileId> directories) throws IOException, InterruptedException {
        Map<FileId, Version> versions = new HashMap<>();
        try (View view = log.read()) {
            for (FileId directory : directories) {
                versions.put(directory, Namespace.version(view, directory));
            }
        }
        return versions;
    }

    private OwnChange wire(GrantorAction.OwnChange own, Map<FileId, Version> before)
            throws IOException, InterruptedException {
        OwnChange.Builder wire = OwnChange.newBuilder()
                .setSession(own.session())
                .setEpoch(own.epoch())
                .setChange(own.change());
        Map<FileId, Version> after = versions(before.keySet());
        for (GrantorAction.Held held : own.held()) {
            wire.addHeld(OwnChange.Held.newBuilder()
                    .setObject(Messages.bytes(held.object()))
                    .setSequence(held.sequence())
                    .setRevoked(!held.kept())
                    .setFrom(Messages.wire(before.getOrDefault(held.object(), Version.NONE)))
                    .setVersion(Messages.wire(after.getOrDefault(held.object(), Version.NONE))));
        }
        return wire.build();
    }

    private static Outcome accepted(Outcome outcome) throws FailureException {
        if (outcome.hasFailure()) {
            throw new FailureException(outcome.getFailure());
        }
        return outcome;
    }

    private static FailureException notReady(String message) {
        return new FailureException(Failure.newBuilder()
                .setCode(Failure.Code.NOT_READY)
                .setMessage("the change is not made: " + message)
                .setRetryAfterMillis(RETRY_MILLIS)
                .build());
    }
}
