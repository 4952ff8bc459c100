package spigot.cache.plan;

/**
 * What is worth fetching before anybody asks: {@code count} pieces of {@code length} bytes, {@code stride} bytes from one start to the next.
 *
 * @param offset of the first piece
 * @param stride may be negative; without meaning for one piece
 * @param requestBytes how large one request should be at most
 */
public record FetchAhead(long offset, long length, long stride, int count, int requestBytes) {
    public long start(int piece) {
        return offset + piece * stride;
    }
}
