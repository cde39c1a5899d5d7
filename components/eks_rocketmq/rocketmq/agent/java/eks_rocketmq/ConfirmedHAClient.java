package eks_rocketmq;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.function.BooleanSupplier;
import org.apache.rocketmq.remoting.protocol.EpochEntry;
import org.apache.rocketmq.store.DefaultMessageStore;
import org.apache.rocketmq.store.config.FlushDiskType;
import org.apache.rocketmq.store.ha.HAConnectionState;
import org.apache.rocketmq.store.ha.autoswitch.AutoSwitchHAClient;
import org.apache.rocketmq.store.ha.autoswitch.AutoSwitchHAService;
import org.apache.rocketmq.store.ha.autoswitch.EpochFileCache;
import org.apache.rocketmq.store.ha.io.HAWriter;

/**
 * A slave's connection to the master that reports its offset at once, after it has copied what the log does not have,
 * and with {@code SYNC_FLUSH} only what is on the slave's disk. It knows only epochs that have a message in its log.
 *
 * <p>A slave of RocketMQ that lacks nothing reports its offset {@code haSendHeartbeatInterval} after it has connected.
 * Until then it is not in sync, and the master sends it nothing: after each election, no message was acknowledged for
 * this second.
 *
 * <p>RocketMQ copies the position of the timer 3 s after a change of the role, and everything else up to 13 s. A slave
 * that was elected before had its own: after a restart those of its last end. It then stored all delayed messages again
 * that were due since. A former master that was cut off had read its own copies of pending transactions, which its log
 * then lost. A member with an empty volume had no topics, and the other members deleted theirs.
 *
 * <p>After a loss of power, the files of a slave can have an epoch that begins behind the end of its log. RocketMQ then
 * reports the end of the master's log as that of the slave, and counts it as in sync. When RocketMQ 5.4.0 or 5.5.0 has
 * truncated the log, it keeps the epochs of what is gone.
 *
 * <p>RocketMQ reports the end of the log, also with {@code flushDiskType=SYNC_FLUSH}. Then a message is acknowledged
 * when it is on the master's disk and in the memory of the slaves. If all members lose their power, the controllers may
 * elect a slave that lost it.
 */
final class ConfirmedHAClient extends AutoSwitchHAClient {
    private static final int ATTEMPTS = 1000; // other threads flush too, and may set the offset back
    private static final long NEW_MASTER_NANOS = 15_000_000_000L;
    private static final long PAUSE_MILLIS = 100;

    /** How long a slave without a connection can be in sync. The agent proposes a set without it every second. */
    private static final long INTERRUPTION_NANOS = 3_000_000_000L;

    private final BooleanSupplier copyFromMaster;
    private volatile long lastChange = System.nanoTime() - NEW_MASTER_NANOS;
    private volatile boolean copied; // since the last change of the master
    private volatile long interrupted;

    ConfirmedHAClient(
            AutoSwitchHAService service,
            DefaultMessageStore store,
            EpochFileCache epochs,
            Long id,
            BooleanSupplier copyFromMaster)
            throws IOException {
        super(service, store, epochs, id);
        this.copyFromMaster = copyFromMaster;
    }

    /** Called by the constructor, and each time the slave gets another master. */
    @Override
    public void init() throws IOException {
        super.init();
        try {
            DefaultMessageStore store = PrivateFields.read(AutoSwitchHAClient.class, "messageStore", this);
            if (store.getMessageStoreConfig().getFlushDiskType() == FlushDiskType.SYNC_FLUSH) {
                HAWriter writer = PrivateFields.read(AutoSwitchHAClient.class, "haWriter", this);
                PrivateFields.write(
                        AutoSwitchHAClient.class, "haWriter", this, new FlushingWriter(writer, store));
            }
        } catch (ReflectiveOperationException error) {
            throw new IOException("this version of RocketMQ reports the slave's offset in another way", error);
        }
    }

    /** Connects to a new master without pauses. It closes all connections when it takes over. */
    void reconnect() {
        lastChange = System.nanoTime();
        copied = false;
        wakeup();
    }

    /**
     * Called between two attempts to connect. RocketMQ waits 5 s.
     *
     * <p>A change of the role waits until the thread has ended, and wakes it once. If data of the former master arrived
     * in this moment, RocketMQ used that up for a wait of 1 ms, and the change took 5 s.
     */
    @Override
    protected void waitForRunning(long millis) {
        boolean newMaster = System.nanoTime() - lastChange < NEW_MASTER_NANOS;
        if (!isStopped()) {
            super.waitForRunning(newMaster ? Math.min(millis, PAUSE_MILLIS) : millis);
        }
    }

    /**
     * Called when the slave begins to compare its log with that of the master ({@code HANDSHAKE}), and when it begins to
     * replicate ({@code TRANSFER}). Then it copies from the master, and the next report is due.
     */
    @Override
    public void changeCurrentState(HAConnectionState state) {
        if (getCurrentState() == HAConnectionState.TRANSFER && state != HAConnectionState.TRANSFER) {
            interrupted = System.nanoTime();
        }
        super.changeCurrentState(state);
        try {
            if (state == HAConnectionState.HANDSHAKE || state == HAConnectionState.TRANSFER) {
                forgetEmptyEpochs();
            }
            if (state == HAConnectionState.TRANSFER) {
                copyIfOutdated();
                PrivateFields.write(AutoSwitchHAClient.class, "lastWriteTimestamp", this, 0L);
            }
        } catch (ReflectiveOperationException error) {
            throw new IllegalStateException("this version of RocketMQ reports the slave's offset in another way", error);
        }
    }

    /**
     * Copies from a new master, or after a long interruption. After a short one this slave is still in sync, and its
     * master gives no positions before it has reported its offset.
     */
    private void copyIfOutdated() {
        if (!copied || System.nanoTime() - interrupted > INTERRUPTION_NANOS) {
            copied = copyFromMaster.getAsBoolean();
        }
    }

    /** Forgets epochs that begin at the end of the log or behind it. The next data of the master have theirs again. */
    private void forgetEmptyEpochs() throws ReflectiveOperationException {
        EpochFileCache epochs = PrivateFields.read(AutoSwitchHAClient.class, "epochCache", this);
        DefaultMessageStore store = PrivateFields.read(AutoSwitchHAClient.class, "messageStore", this);
        EpochEntry last = epochs == null ? null : epochs.lastEntry();
        if (last != null && last.getStartOffset() >= store.getMaxPhyOffset()) {
            epochs.truncateSuffixByOffset(store.getMaxPhyOffset());
        }
        PrivateFields.write(AutoSwitchHAClient.class, "currentReceivedEpoch", this, -1);
    }

    /** Flushes the log before each report. The thread that appends to the log also reports, so nothing is added. */
    private static final class FlushingWriter extends HAWriter {
        private final HAWriter writer;
        private final DefaultMessageStore store;

        FlushingWriter(HAWriter writer, DefaultMessageStore store) {
            this.writer = writer;
            this.store = store;
        }

        @Override
        public boolean write(SocketChannel channel, ByteBuffer report) throws IOException {
            long end = store.getMaxPhyOffset();
            for (int attempt = 0; store.getFlushedWhere() < end; attempt++) {
                if (attempt == ATTEMPTS) {
                    throw new IOException("the log is flushed to " + store.getFlushedWhere() + " only, not to " + end);
                }
                store.flush(); // one file of the log
            }
            return writer.write(channel, report);
        }
    }
}
