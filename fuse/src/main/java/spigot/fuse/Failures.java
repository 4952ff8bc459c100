package spigot.fuse;

import java.nio.channels.ClosedByInterruptException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.linux.Errno;
import spigot.linux.SystemCallException;

/** What a handler that throws, or forgets to answer, makes of its request: always an answer, or the caller would hang. */
final class Failures {
    private static final Logger LOG = LoggerFactory.getLogger(Failures.class);

    private Failures() {}

    /** Runs a handler of a detached request. */
    static <R extends Request<R>> void answering(R request, RequestHandler<R> body) {
        try {
            body.handle(request);
        } catch (Throwable e) {
            answer(request, e);
            return;
        }
        answerForgotten(request);
    }

    static void answer(Request<?> request, Throwable failure) {
        int errno = errno(failure);
        boolean late = request.isAnswered();
        if (errno == Errno.EIO || late) {
            LOG.warn("event=request-failed request=\"{}\" answered={}", request, late, failure);
        }
        if (!late) {
            request.replyError(errno);
        }
    }

    static void answerForgotten(Request<?> request) {
        if (!request.isAnswered()) {
            LOG.error("event=request-unanswered request=\"{}\" answer=EIO", request);
            request.replyError(Errno.EIO);
        }
    }

    static int errno(Throwable failure) {
        return switch (failure) {
            case SystemCallException e -> e.errno();
            case RequestRefusedException _ -> Errno.ENOMEM;
            case InterruptedException _ -> Errno.EINTR;
            case ClosedByInterruptException _ -> Errno.EINTR;
            default -> Errno.EIO;
        };
    }
}
