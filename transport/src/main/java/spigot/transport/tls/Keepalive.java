package spigot.transport.tls;

import spigot.transport.TransportLimits;

/**
 * Judges from times alone whether a connection is alive. The reader and the writer note what they do, the clock thread asks
 * twice in each ping interval. All times are {@link System#nanoTime}.
 *
 * <p>A process that was stopped itself (a debugger, SIGSTOP, a suspended machine) must not take its own absence for the peer's:
 * after a late tick the silence is counted anew.
 */
final class Keepalive {
    enum Verdict {
        FINE,
        /** Ask whether the peer is there. */
        PING,
        /** This side reads nothing for a while, pings included: say that it is there. */
        PONG,
        SILENT,
        STALLED
    }

    private final long pingAfterNanos;
    private final long deadAfterNanos;
    private final long stalledAfterNanos;

    // Each written by one thread, read by the clock thread.
    private volatile long receivedNanos;
    private volatile boolean readingPaused;
    private volatile boolean writing;
    private volatile long writingSinceNanos;
    // Written by callers: two at once may both write, about the same.
    private volatile long expectedSinceNanos;

    // The clock thread's own.
    private long judgedNanos;
    private long notBeforeNanos;
    private long pingedNanos;

    Keepalive(TransportLimits.Times times, long nowNanos) {
        pingAfterNanos = times.pingAfter().toNanos();
        deadAfterNanos = times.deadAfter().toNanos();
        stalledAfterNanos = times.stalledAfter().toNanos();
        receivedNanos = nowNanos;
        judgedNanos = nowNanos;
        notBeforeNanos = nowNanos;
        expectedSinceNanos = nowNanos;
        pingedNanos = nowNanos - pingAfterNanos;
    }

    /** The reader: bytes have come. */
    void received(long nowNanos) {
        receivedNanos = nowNanos;
    }

    /** The reader: it stops by itself, as back pressure, so that silence proves nothing. */
    void pauseReading() {
        readingPaused = true;
    }

    void resumeReading(long nowNanos) {
        receivedNanos = nowNanos;
        readingPaused = false;
    }

    /** A caller: an answer is owed from now on. Further calls before anything came do not move that time. */
    void expect(long nowNanos) {
        if (receivedNanos - expectedSinceNanos >= 0) {
            expectedSinceNanos = nowNanos;
        }
    }

    /** The writer: it hands some bytes to the socket now. */
    void writing(long nowNanos) {
        writingSinceNanos = nowNanos;
        writing = true;
    }

    void written() {
        writing = false;
    }

    /**
     * @param always whether the peer must answer pings even when nothing else is asked of it
     * @param busy whether calls wait for answers
     */
    Verdict judge(long nowNanos, boolean always, boolean busy) {
        if (nowNanos - judgedNanos > pingAfterNanos * 2) {
            notBeforeNanos = nowNanos;
        }
        judgedNanos = nowNanos;
        if (writing && nowNanos - later(writingSinceNanos, notBeforeNanos) > stalledAfterNanos) {
            return Verdict.STALLED;
        }
        if (readingPaused) {
            return isDue(nowNanos) ? Verdict.PONG : Verdict.FINE;
        }
        if (!always && !busy) {
            return Verdict.FINE;
        }
        long since = later(receivedNanos, notBeforeNanos);
        if (!always) {
            since = later(since, expectedSinceNanos);
        }
        long silentNanos = nowNanos - since;
        if (silentNanos > deadAfterNanos) {
            return Verdict.SILENT;
        }
        return silentNanos >= pingAfterNanos && isDue(nowNanos) ? Verdict.PING : Verdict.FINE;
    }

    private boolean isDue(long nowNanos) {
        boolean due = nowNanos - pingedNanos >= pingAfterNanos;
        if (due) {
            pingedNanos = nowNanos;
        }
        return due;
    }

    private static long later(long a, long b) {
        return a - b > 0 ? a : b;
    }
}
