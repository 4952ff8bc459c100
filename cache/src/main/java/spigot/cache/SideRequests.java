package spigot.cache;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import spigot.cache.source.Source;
import spigot.cache.source.SourcesFailedException;
import spigot.model.FileId;
import spigot.model.RawBytes;
import spigot.transport.FailureException;
import spigot.transport.LinkBrokenException;
import spigot.transport.Messages;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Failure;
import spigot.transport.wire.SeekRequest;
import spigot.transport.wire.XattrRequest;

/** What else is asked of the servers of a file: holes and extended attributes. Safe for any thread; blocks. */
final class SideRequests {
    private SideRequests() {}

    /** @return the offset, or -1: there is none */
    static long seek(Content content, long offset, boolean hole, Patience patience)
            throws IOException, InterruptedException {
        Envelope request = Envelope.newBuilder()
                .setSeekRequest(SeekRequest.newBuilder()
                        .setId(Messages.bytes(content.version().file()))
                        .setVersion(Messages.wire(content.version().version()))
                        .setOffset(offset)
                        .setHole(hole))
                .build();
        try {
            return anybody(content, request, patience).getSeekReply().getOffset();
        } catch (SourcesFailedException e) {
            if (e.saysGone(content.places().home())) {
                throw new VersionGoneException(content.version());
            }
            throw unreachable("the holes of file", content, e);
        }
    }

    /** @return the value, or null: the file has no such attribute */
    static @Nullable ByteString xattr(Content content, RawBytes name, Patience patience)
            throws IOException, InterruptedException {
        FileId file = content.version().file();
        Envelope request = Envelope.newBuilder()
                .setXattrRequest(
                        XattrRequest.newBuilder().setId(Messages.bytes(file)).setName(Messages.bytes(name)))
                .build();
        try {
            return anybody(content, request, patience).getXattrReply().getValue();
        } catch (FailureException e) {
            if (e.code() == Failure.Code.NO_ATTRIBUTE) {
                return null;
            }
            throw e;
        } catch (SourcesFailedException e) {
            throw unreachable("the extended attributes of file", content, e);
        }
    }

    private static UnreachableException unreachable(String what, Content content, SourcesFailedException cause) {
        return new UnreachableException(
                "no server could tell " + what + " " + content.version() + ": " + cause.getMessage(), cause);
    }

    private static Envelope anybody(Content content, Envelope request, Patience patience)
            throws IOException, InterruptedException {
        Places places = content.places();
        if (places.serving().isEmpty()) {
            places.homeSource(patience.callTimeout());
        }
        while (true) {
            List<SourcesFailedException.Attempt> failures = new ArrayList<>();
            for (Source source : places.serving()) {
                try {
                    return Bounded.call(
                            request.getBodyCase() + " to " + source.address(),
                            patience.callTimeout(),
                            () -> source.link().call(request, patience.callTimeout()),
                            _ -> {});
                } catch (FailureException e) {
                    if (isFinal(e)) {
                        throw e;
                    }
                    failures.add(new SourcesFailedException.Attempt(source.server(), source.address(), e));
                } catch (IOException e) {
                    if (e instanceof LinkBrokenException) {
                        source.failed();
                    }
                    failures.add(new SourcesFailedException.Attempt(source.server(), source.address(), e));
                }
            }
            SourcesFailedException failed = new SourcesFailedException(failures);
            if (failed.saysGone(places.home()) || patience.isOver()) {
                throw failed;
            }
            relocate(places, failed, patience.callTimeout());
            patience.pause();
        }
    }

    private static boolean isFinal(FailureException e) {
        return switch (e.code()) {
            case IO_ERROR, DENIED, BAD_REQUEST, NO_ATTRIBUTE -> true;
            case UNKNOWN,
                    NOT_FOUND,
                    NOT_DIRECTORY,
                    VERSION_GONE,
                    NOT_HOME,
                    UNKNOWN_SESSION,
                    NOT_READY,
                    TOO_MANY,
                    CONFLICT,
                    BAD_TOKEN,
                    SERIALISED,
                    NO_TOKEN,
                    UNRECOGNIZED -> false;
        };
    }

    private static void relocate(Places places, SourcesFailedException failed, Duration atMost)
            throws FailureException, InterruptedException {
        try {
            places.locate(failed.unreachable(places.home()), atMost);
        } catch (FailureException e) {
            throw e; // the catalog knows: the file is gone
        } catch (IOException e) {
            failed.addSuppressed(e); // the sources that are known are tried again
        }
    }
}
