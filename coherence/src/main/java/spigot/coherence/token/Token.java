package spigot.coherence.token;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import spigot.model.Version;

/**
 * A token on one range of a file, at the client. Changed only by its {@link TokenHolder}; {@link #enter} and {@link #exit} may be called by
 * any thread, do not lock and do not allocate.
 *
 * <p>Whoever reads or writes under the token does so between enter and exit: the token is not given back meanwhile. While
 * it is in service a thread must not wait for another token; a request that needs several asks for them as one range.
 */
public final class Token {
    /** Until when the tokens of one session are valid, by the holder's clock. */
    static final class Term {
        volatile long endMillis;

        Term(long endMillis) {
            this.endMillis = endMillis;
        }
    }

    private static final int CLOSED = 1 << 30;
    private static final int LEAVING = 1 << 29;

    /** Somebody has entered or left since the pages were last asked to be dropped. */
    private static final int TOUCHED = 1 << 28;

    private static final int IN_SERVICE = TOUCHED - 1;
    private static final VarHandle STATE;

    static {
        try {
            STATE = MethodHandles.lookup().findVarHandle(Token.class, "state", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    final long from;
    final long to;
    final Mode mode;
    private final Term term;
    private final Version since;

    /** Of the last grant. */
    long sequence;

    /** The last version of which it is known that the range was right: the grant's, or that of an own commit. */
    Version right;

    @SuppressWarnings("UnusedVariable") // by STATE
    private volatile int state;

    Token(Range range, Mode mode, Term term, long sequence, Version since, Version right) {
        this.from = range.from();
        this.to = range.to();
        this.mode = mode;
        this.term = term;
        this.sequence = sequence;
        this.since = since;
        this.right = right;
    }

    /** A piece of this one, as open as this one; nobody is in service under it yet. */
    Token piece(Range range) {
        Token piece = new Token(range, mode, term, sequence, since, right);
        piece.set(state & (LEAVING | CLOSED | TOUCHED), 0);
        return piece;
    }

    public Range range() {
        return new Range(from, to);
    }

    /** Where the range ends, in bytes. */
    public long end() {
        return to;
    }

    public Mode mode() {
        return mode;
    }

    /**
     * From which version on the range was not changed by others, until the token is given back. What is cached of it is right
     * if it was right at this version or a later one.
     */
    public Version since() {
        return since;
    }

    /**
     * May I read, or write, now? If so, {@link #exit} has to follow. It stays possible while the token is being asked back, until all is
     * dropped: the kernel may be waiting for just this request.
     *
     * @param need SHARED to read, EXCLUSIVE to write
     * @param nowMillis the holder's clock
     */
    public boolean enter(Mode need, long nowMillis) {
        if (!mode.atLeast(need)) {
            return false;
        }
        while (true) {
            int before = (int) STATE.getVolatile(this);
            if ((before & CLOSED) != 0 || nowMillis >= term.endMillis) {
                return false;
            }
            int after = (before + 1) | ((before & LEAVING) != 0 ? TOUCHED : 0);
            if (STATE.compareAndSet(this, before, after)) {
                return true;
            }
        }
    }

    /** @return whether the holder may be waiting for this: tell it {@link TokenHolderEvent.Idle} */
    public boolean exit() {
        while (true) {
            int before = (int) STATE.getVolatile(this);
            int after = (before - 1) | ((before & LEAVING) != 0 ? TOUCHED : 0);
            if (STATE.compareAndSet(this, before, after)) {
                return (after & IN_SERVICE) == 0 && (after & (LEAVING | CLOSED)) != 0;
            }
        }
    }

    /** Whether it is valid now: for what is only looked at. */
    public boolean valid(long nowMillis) {
        return (state & CLOSED) == 0 && nowMillis < term.endMillis;
    }

    // ---- for its holder ---------------------------------------------------------------------------------------------

    boolean inService() {
        return (state & IN_SERVICE) != 0;
    }

    boolean leaving() {
        return (state & LEAVING) != 0;
    }

    boolean touched() {
        return (state & TOUCHED) != 0;
    }

    /** Its pages are about to be dropped. */
    void leave() {
        set(LEAVING, TOUCHED);
    }

    /** Nobody enters any more. */
    void close() {
        set(CLOSED, 0);
    }

    /** The same range and the same time of holding it with another mode, open. */
    Token with(Mode other) {
        return new Token(range(), other, term, sequence, since, right);
    }

    /** Closes it if nobody is in service, nor was since {@link #leave}. */
    boolean closeUntouched() {
        while (true) {
            int before = (int) STATE.getVolatile(this);
            if ((before & (IN_SERVICE | TOUCHED)) != 0) {
                return false;
            }
            if (STATE.compareAndSet(this, before, before | CLOSED)) {
                return true;
            }
        }
    }

    private void set(int bits, int cleared) {
        while (true) {
            int before = (int) STATE.getVolatile(this);
            if (STATE.compareAndSet(this, before, (before | bits) & ~cleared)) {
                return;
            }
        }
    }
}
