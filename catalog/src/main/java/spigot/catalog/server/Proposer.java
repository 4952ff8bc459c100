package spigot.catalog.server;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Set;
import java.util.TreeSet;
import java.util.random.RandomGenerator;
import spigot.catalog.server.state.Command;
import spigot.catalog.server.state.Outcome;
import spigot.model.FileId;
import spigot.model.NodeId;
import spigot.session.LeaseGrantor;
import spigot.session.Recall;
import spigot.transport.CallTimeoutException;
import spigot.transport.FailureException;
import spigot.transport.Messages;
import spigot.transport.wire.Failure;

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

    Proposer(CatalogLog log, LeaseGrantor grantor, Duration patience, InstantSource clock, RandomGenerator random) {
        this.log = log;
        this.grantor = grantor;
        this.patience = patience;
        this.clock = clock;
        this.random = random;
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
        Set<FileId> touched = new TreeSet<>();
        try (View view = log.read()) {
            Namespace.Result rehearsed = Namespace.apply(command, new Transaction(view));
            touched.addAll(rehearsed.touched());
            if (touched.isEmpty() && !rehearsed.changes()) {
                return accepted(rehearsed.outcome());
            }
        }
        for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
            Outcome outcome = recallAndPropose(command, touched);
            if (outcome.getNeedsRecallCount() == 0) {
                return accepted(outcome);
            }
            for (ByteString directory : outcome.getNeedsRecallList()) {
                touched.add(Messages.fileId(directory));
            }
        }
        throw notReady("others change the same directories all the time");
    }

    private Outcome recallAndPropose(Command command, Set<FileId> touched) throws IOException, InterruptedException {
        if (touched.isEmpty()) {
            return log.propose(command);
        }
        Command.Builder recalled = command.toBuilder();
        for (FileId directory : touched) {
            recalled.addRecalled(Messages.bytes(directory));
        }
        try (Recall _ = grantor.recall(touched, patience)) {
            return log.propose(recalled.build());
        } catch (CallTimeoutException e) {
            throw notReady("the leases on " + touched.size() + " directories could not be taken back within "
                    + patience.toMillis() + " ms: " + e.getMessage());
        }
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
