package spigot.cache;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import spigot.transport.CallTimeoutException;

/** A call that may block longer than its caller can wait, making a connection included: on a virtual thread that is interrupted then. */
final class Bounded {
    @FunctionalInterface
    interface Call<T> {
        T call() throws IOException, InterruptedException;
    }

    private Bounded() {}

    /**
     * @param what for the message
     * @param unwanted takes a result that came too late
     */
    static <T> T call(String what, Duration atMost, Call<T> call, Consumer<T> unwanted)
            throws IOException, InterruptedException {
        CompletableFuture<T> answer = new CompletableFuture<>();
        Thread thread = Thread.ofVirtual().name(what).start(() -> {
            try {
                T result = call.call();
                if (!answer.complete(result)) {
                    unwanted.accept(result);
                }
            } catch (IOException | InterruptedException | RuntimeException e) {
                answer.completeExceptionally(e);
            }
        });
        CallTimeoutException late =
                new CallTimeoutException("no answer within " + atMost.toMillis() + " ms to " + what);
        try {
            return answer.get(atMost.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException _) {
            if (answer.completeExceptionally(late)) {
                throw late;
            }
            return result(answer, what); // at the last moment
        } catch (ExecutionException e) {
            throw failure(e, what);
        } finally {
            answer.completeExceptionally(late); // interrupted: nobody takes the result
            thread.interrupt();
        }
    }

    private static <T> T result(CompletableFuture<T> answer, String what) throws IOException, InterruptedException {
        try {
            return answer.get();
        } catch (ExecutionException e) {
            throw failure(e, what);
        }
    }

    private static IOException failure(ExecutionException e, String what) {
        return switch (e.getCause()) {
            case IOException failure -> failure;
            case InterruptedException _ -> new IOException(what + " was interrupted", e);
            case null, default -> new IOException("internal error in " + what + ": " + e.getCause(), e);
        };
    }
}
