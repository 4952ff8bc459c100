package spigot.testbed.simulation;

/** What happened in runs: a test that checks nothing would pass too. */
public class Tally {
    public long runs;
    public long simulatedMillis;
    public long events;
    public long leasedReads;
    public long kernelReads;
    public long askedReads;
    public long grants;
    public long changes;
    public long ownChanges;
    public long seen;
    public long revokes;
    public long sessionsLost;
    public long lostMessages;
    public long doubledMessages;
    public long lateMessages;
    public long cuts;
    public long crashes;
    public long pauses;

    @Override
    public String toString() {
        return runs + " runs, " + simulatedMillis / 1_000 + " simulated s, " + events + " events; reads: " + leasedReads
                + " leased, " + kernelReads + " by the kernel, " + askedReads + " asked; " + grants + " grants, "
                + changes + " changes, " + ownChanges + " by clients, " + seen + " seen by them, " + revokes
                + " revokes, " + sessionsLost + " sessions lost; messages: "
                + lostMessages + " lost, " + doubledMessages + " doubled, " + lateMessages + " late; " + cuts
                + " cuts, " + crashes + " crashes, " + pauses + " pauses";
    }
}
