package eks_rocketmq;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.ConcurrentModificationException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.rocketmq.broker.BrokerController;
import org.apache.rocketmq.broker.controller.ReplicasManager;
import org.apache.rocketmq.store.CommitLog;
import org.apache.rocketmq.store.DefaultMessageStore;
import org.apache.rocketmq.store.DispatchRequest;
import org.apache.rocketmq.store.PutMessageStatus;
import org.apache.rocketmq.store.SelectMappedBufferResult;
import org.apache.rocketmq.store.config.BrokerRole;
import org.apache.rocketmq.store.config.MessageStoreConfig;
import org.apache.rocketmq.store.ha.HAClient;
import org.apache.rocketmq.store.ha.HAConnection;
import org.apache.rocketmq.store.ha.HAConnectionState;
import org.apache.rocketmq.store.ha.autoswitch.AutoSwitchHAConnection;
import org.apache.rocketmq.store.ha.autoswitch.AutoSwitchHAService;
import org.apache.rocketmq.store.ha.autoswitch.EpochFileCache;
import org.rocksdb.RocksDBException;

/**
 * Replication that acknowledges a write only when every member has it that the controllers could elect, and that follows
 * a new master at once.
 *
 * <p>In RocketMQ 5.4.0 and 5.5.0 a master takes a slave out of its local in-sync set when the connection ends, before
 * the controllers agree. Writes that still wait then count as replicated. If the master is cut off, or another master
 * was elected, the new master does not have these acknowledged messages, and they are lost.
 *
 * <p>The controllers elect a member of their own set. That is the set which they confirmed last, or one that this master
 * proposed since and whose confirmation was lost.
 */
final class ConfirmedHAService extends AutoSwitchHAService {
    /** How often the connections are read or ended again. Each change of them ends in microseconds. */
    private static final int ATTEMPTS = 1000;

    /** How long a name server can name an old master: the period in which brokers register, and a margin. */
    private static final long STALE_NANOS = 15_000_000_000L;

    /** How long the filling of the queues may stand still. It stops at an incomplete message. */
    private static final long STALLED_NANOS = 1_000_000_000L;

    /** How long a proposed slave may take for the rest of the log, which writes wait for meanwhile. */
    private static final long CATCH_UP_NANOS = 1_000_000_000L;

    private final Proposals proposals;

    /** Slaves that have caught up since the last proposal. */
    private final Set<Long> joining = ConcurrentHashMap.newKeySet();

    /** Writes that wait for slaves. */
    private final Set<CountedWrite> waiting = ConcurrentHashMap.newKeySet();

    /** Held while the confirmed offset is computed and set. */
    private final Object offsetLock = new Object();

    private final AtomicBoolean queued = new AtomicBoolean();
    private volatile boolean listening;
    private final BooleanSupplier copyFromMaster;
    private final int port;
    private volatile Set<Long> confirmed = Collections.emptySet();
    private final SmallFiles files;
    private final AtomicInteger term = new AtomicInteger();
    private volatile Master master;
    volatile boolean becomingMaster; // visible for tests

    ConfirmedHAService(MessageStoreConfig config, Proposals proposals, BooleanSupplier copyFromMaster) {
        this.proposals = proposals;
        this.copyFromMaster = copyFromMaster;
        this.port = config.getHaListenPort(); // the same for all members
        this.files = new SmallFiles(config.getStorePathRootDir());
    }

    /** Replaces the replication of a broker that is not started yet, and its processors of sends, recalls and positions. */
    static void install(BrokerController controller) throws ReflectiveOperationException {
        if (controller.getReplicasManager() == null) {
            return; // without controllers, no other master is elected
        }
        if (!(controller.getMessageStore() instanceof DefaultMessageStore)) {
            throw new IllegalStateException(
                    "messageStorePlugIn replaces the message store. Leave the key out, or run without the agent.");
        }
        ConfirmedHAService service = new ConfirmedHAService(
                controller.getMessageStoreConfig(),
                Proposals.of(controller),
                new MasterCopies(controller)::copy);
        PrivateFields.write(DefaultMessageStore.class, "haService", controller.getMessageStore(), service);
        PrivateFields.write(ReplicasManager.class, "haService", controller.getReplicasManager(), service);
        NamedMaster.install(controller);
        FencedSends.install(controller, service.term::get);
        FencedRecalls.install(controller, service.term::get);
        ConfirmedPositions.install(controller);
    }

    /**
     * Called with the master that the controllers have named. Replicates from it at once, over a connection of the
     * agent.
     *
     * <p>RocketMQ asks a name server for the replication address of the master. Just after an election, the answer is
     * the old master, or none. The slave then asks again after {@code registerNameServerPeriod}, 10 s at least, and the
     * new master rejects writes until then.
     */
    @Override
    public boolean changeToSlave(String newMaster, int epoch, Long id) {
        term.incrementAndGet();
        endWrites();
        proposals.clear(); // those of a former term as master
        if (getHAClient() == null) {
            setConfirmedClient(id);
        }
        joining.clear();
        Master named = new Master(newMaster, newMaster.substring(0, newMaster.lastIndexOf(':') + 1) + port);
        master = named;
        boolean changed = EndedAttempts.during(getHAClient(), () -> super.changeToSlave(newMaster, epoch, id));
        flushFiles();
        if (changed) {
            updateHaMasterAddress(named.replication);
            ((ConfirmedHAClient) getHAClient()).reconnect();
        }
        return changed;
    }

    /**
     * Called when the controllers have elected the same master again.
     *
     * <p>It has restarted, perhaps with another address. RocketMQ connects to the former one until a name server has the
     * new one.
     */
    @Override
    public boolean changeToSlaveWhenMasterNotChange(String sameMaster, int epoch) {
        return changeToSlave(sameMaster, epoch, getLocalBrokerId());
    }

    /** Called when the controllers have elected this broker. It takes no writes before its epoch is on the disk. */
    @Override
    public boolean changeToMaster(int epoch) throws RocksDBException {
        term.incrementAndGet();
        becomingMaster = true;
        try {
            boolean changed = EndedAttempts.during(getHAClient(), () -> super.changeToMaster(epoch));
            flushFiles();
            return changed;
        } finally {
            becomingMaster = false;
        }
    }

    /** Called when the controllers have elected this master again. */
    @Override
    public boolean changeToMasterWhenLastRoleIsMaster(int epoch) {
        boolean changed = super.changeToMasterWhenLastRoleIsMaster(epoch);
        flushFiles();
        return changed;
    }

    /**
     * Returns the offset up to which every member in sync has the log.
     *
     * <p>RocketMQ reads the list of its connections while other threads change it. When a slave connected in the moment
     * of the election, the read failed and with it {@code changeToMaster}. Nothing repeats that: the group stayed
     * without a master. A lock would be held by a thread that waits for this one to end.
     *
     * <p>RocketMQ leaves out a slave that has reported no offset yet, or an empty log, and fills the queues with messages
     * that this slave may lack. If a slave that it has proposed loses its connection, and no other is in sync, it fills
     * them with the whole log.
     */
    @Override
    public long computeConfirmOffset() {
        long least = findLeast(getSyncStateSet(), Collections.emptySet());
        if (least >= 0) {
            return Math.min(least, defaultMessageStore.getMaxPhyOffset());
        }
        long filled = defaultMessageStore.getReputFromOffset();
        // For a master without confirmed slaves, RocketMQ returns the end of its log.
        return confirmed.size() == 1 ? filled : Math.max(filled, defaultMessageStore.getConfirmOffsetDirectly());
    }

    /**
     * Returns the part of RocketMQ's confirmed offset that a proposed slave has too, but not less than the queues have.
     *
     * <p>The controllers may elect a slave that this master has proposed. RocketMQ fills the queues of a master without
     * confirmed slaves with its whole log until it learns that they have accepted.
     */
    long limitToProposals(LongSupplier offset) {
        // Without all copies, consumers may read what only the master has.
        if (!defaultMessageStore.getMessageStoreConfig().isAllAckInSyncStateSet()) {
            return offset.getAsLong();
        }
        Set<Long> before;
        long limited;
        do {
            before = confirmed;
            limited = offset.getAsLong();
            if (!proposals.isEmpty()) {
                long least = findLeast(getSyncStateSet(), before);
                limited = Math.min(limited, Math.max(least, defaultMessageStore.getReputFromOffset()));
            }
        } while (before != confirmed); // a proposal may have ended between the two readings
        return limited;
    }

    /**
     * Ends all connections to slaves.
     *
     * <p>RocketMQ fails at one whose thread is just being started, and with it {@code changeToMaster}. Nothing repeats
     * that, and the group stayed without a master. A repeated attempt skips the parts that have ended.
     */
    @Override
    public void destroyConnections() {
        repeatWhileChanging(() -> {
            super.destroyConnections();
            return null;
        });
    }

    /** Repeats an action that fails because another thread changes the connections. */
    private static <T> T repeatWhileChanging(Supplier<T> action) {
        for (int attempt = 1; ; attempt++) {
            try {
                return action.get();
            } catch (ConcurrentModificationException | NullPointerException changed) {
                if (attempt == ATTEMPTS) {
                    throw changed;
                }
                Thread.yield();
            }
        }
    }

    /**
     * Removes an incomplete message at the end of the log. A new master waits until the queues have all other messages.
     *
     * <p>Otherwise RocketMQ truncates the queues too, while another thread still fills them. One queue then lacked its
     * last message. The new master gave its first message the same place in the queue, so this acknowledged message
     * could not be consumed. A slave ends in an incomplete message if the master had more than 32 KiB to send. RocketMQ
     * then waits 5 s for the queues to get it.
     *
     * <p>Returns the end of the log, and the new master forgets all epochs that begin there. RocketMQ returns -1 if it
     * truncates nothing. An epoch that got no message then stays, and that of the new master, which begins at the same place, is
     * not recorded. Two masters that have written behind this place could not be told apart.
     */
    @Override
    public long truncateInvalidMsg() throws RocksDBException {
        if (!becomingMaster) {
            return defaultMessageStore.dispatchBehindBytes() > 0
                    ? super.truncateInvalidMsg()
                    : truncateUnconfirmed();
        }
        awaitQueues();
        if (!endsIncomplete()) {
            super.truncateInvalidMsg();
            return defaultMessageStore.getMaxPhyOffset();
        }
        long end = defaultMessageStore.getReputFromOffset();
        defaultMessageStore.setConfirmOffset(end); // the queues need no more
        defaultMessageStore.truncateDirtyFiles(end);
        return end;
    }

    /**
     * Removes an incomplete message at the end of a slave's log, and returns its place, or -1.
     *
     * <p>RocketMQ looks only at what the queues may have. If the log of the next master ends where this message begins,
     * the slave refuses to truncate its log there, and never gets in sync until it is restarted.
     */
    private long truncateUnconfirmed() throws RocksDBException {
        long place = findIncomplete(defaultMessageStore.getReputFromOffset(), Long.MAX_VALUE);
        if (place >= 0) {
            defaultMessageStore.truncateDirtyFiles(place);
        }
        return place;
    }

    /** Returns the place of the first incomplete message that begins between two offsets, or -1. */
    private long findIncomplete(long begin, long end) {
        CommitLog log = defaultMessageStore.getCommitLog();
        long place = begin;
        while (place < Math.min(end, defaultMessageStore.getMaxPhyOffset())) {
            SelectMappedBufferResult rest = log.getData(place);
            if (rest == null) {
                return -1;
            }
            try {
                place = rest.getStartOffset(); // the oldest messages may be deleted
                DispatchRequest message = log.checkMessageAndReturnSize(rest.getByteBuffer(), false, false);
                if (!message.isSuccess()) {
                    return place;
                }
                // A file ends with a mark of the size 0.
                place = message.getMsgSize() > 0 ? place + message.getMsgSize() : log.rollNextFile(place);
            } finally {
                rest.release();
            }
        }
        return -1;
    }

    private void awaitQueues() {
        long filled = -1;
        long since = System.nanoTime();
        while (defaultMessageStore.dispatchBehindBytes() > 0
                && !endsIncomplete()
                && System.nanoTime() - since < STALLED_NANOS) {
            if (defaultMessageStore.getReputFromOffset() != filled) {
                filled = defaultMessageStore.getReputFromOffset();
                since = System.nanoTime();
            }
            LockSupport.parkNanos(1_000_000L);
        }
    }

    /** Returns whether the queues have all messages of the log, and an incomplete one follows. */
    private boolean endsIncomplete() {
        long begin = defaultMessageStore.getReputFromOffset();
        return findIncomplete(begin, begin + 1) >= 0;
    }

    private void flushFiles() {
        try {
            files.flush();
        } catch (IOException error) {
            throw new UncheckedIOException("the epoch of this broker is not on the disk", error);
        }
    }

    /** Called with the answer of a name server, which may be late. */
    @Override
    public void updateHaMasterAddress(String address) {
        Master named = findNew();
        super.updateHaMasterAddress(named == null ? address : named.replication);
    }

    /** Returns the address of a new master, or the given one, which is that of a name server and may be late. */
    String preferNamed(String address) {
        Master named = findNew();
        return named == null ? address : named.address;
    }

    /** Returns a master that the controllers have just named, or null. */
    private Master findNew() {
        Master named = master;
        return named != null && System.nanoTime() - named.since < STALE_NANOS ? named : null;
    }

    /** Sets the client that super.changeToSlave would create. RocketMQ opens one again that is there. */
    private void setConfirmedClient(Long id) {
        try {
            EpochFileCache epochs = PrivateFields.read(AutoSwitchHAService.class, "epochCache", this);
            HAClient client = new ConfirmedHAClient(this, defaultMessageStore, epochs, id, copyFromMaster);
            PrivateFields.write(AutoSwitchHAService.class, "haClient", this, client);
        } catch (ReflectiveOperationException | IOException error) {
            throw new IllegalStateException("cannot connect to masters", error);
        }
    }

    /**
     * Returns the set without members that are not connected. Called every second, to propose it to the controllers.
     *
     * <p>RocketMQ proposes a set from its copy of the former one. When two slaves join at once, a late proposal can name
     * a member again that has just stopped. It stays in the set until it has not caught up for 15 s.
     */
    @Override
    public Set<Long> maybeShrinkSyncStateSet() {
        Set<Long> connected = repeatWhileChanging(() -> getConnectionList().stream()
                .map(connection -> ((AutoSwitchHAConnection) connection).getSlaveId())
                .collect(Collectors.toSet()));
        caughtUpTimes().keySet().retainAll(connected);
        return super.maybeShrinkSyncStateSet();
    }

    /**
     * Registers the function that sends a proposal. It gets the set at the moment of its call.
     *
     * <p>RocketMQ sends queued sets with the current epoch, so the controllers also accept outdated ones. When two
     * slaves joined at once, sets with one of them replaced each other for seconds.
     */
    @Override
    public void registerSyncStateSetChangedListener(Consumer<Set<Long>> listener) {
        super.registerSyncStateSetChangedListener(former -> {
            queued.set(false); // a later change is looked at again
            Set<Long> members = findInSync();
            if (!members.equals(confirmed)) {
                listener.accept(members);
            }
        });
        listening = true;
    }

    /**
     * Called with each report of a slave that is not confirmed and has caught up, and when a connection ends.
     *
     * <p>RocketMQ queues a set for each report. While the controllers did not answer, this queue grew without limit.
     */
    @Override
    public void notifySyncStateSetChanged(Set<Long> members) {
        members.stream().filter(member -> !confirmed.contains(member)).forEach(joining::add);
        if (!listening || queued.compareAndSet(false, true)) {
            super.notifySyncStateSetChanged(members);
        }
    }

    /**
     * Returns this broker with the connected slaves that are confirmed or have caught up. Those that have caught up are
     * returned once: one that hangs since does not hold up the proposals.
     */
    private Set<Long> findInSync() {
        Set<Long> candidates = new HashSet<>(joining);
        joining.removeAll(candidates);
        candidates.addAll(confirmed);
        Set<Long> members = getConnectionList().stream()
                .filter(connection -> connection.getCurrentState() != HAConnectionState.SHUTDOWN) // it is being removed
                .map(connection -> ((AutoSwitchHAConnection) connection).getSlaveId())
                .filter(candidates::contains)
                .collect(Collectors.toSet());
        members.add(getLocalBrokerId());
        return members;
    }

    private Map<Long, Long> caughtUpTimes() {
        try {
            return PrivateFields.read(AutoSwitchHAService.class, "connectionCaughtUpTimeTable", this);
        } catch (ReflectiveOperationException error) {
            throw new IllegalStateException("cannot read which slaves have caught up", error);
        }
    }

    /** Called with the set that the controllers have confirmed, and only with that. */
    @Override
    public void setSyncStateSet(Set<Long> members) {
        confirmed = Collections.unmodifiableSet(new HashSet<>(members));
        proposals.removePast();
        synchronized (offsetLock) {
            super.setSyncStateSet(members);
        }
    }

    /**
     * Called with a write that waits for the members in sync. It is acknowledged only if as many members have it as
     * {@code minInSyncReplicas} says, and ends when this broker becomes a slave.
     *
     * <p>RocketMQ compares this number with the set only before the write. If the last slave of the set stops while the
     * write waits, the controllers confirm a set with the master alone, and RocketMQ acknowledges a single copy.
     *
     * <p>The writes of a master that is replaced wait for slaves that have left it. RocketMQ ends them after {@code
     * slaveTimeout}, 3 s, in which each of these producers stands still.
     */
    @Override
    public void putRequest(CommitLog.GroupCommitRequest write) {
        MessageStoreConfig config = defaultMessageStore.getMessageStoreConfig();
        CountedWrite counted = new CountedWrite(write, config.getMinInSyncReplicas());
        waiting.add(counted);
        super.putRequest(counted);
        if (config.getBrokerRole() == BrokerRole.SLAVE) {
            endWrites(); // it became a slave before this write was added
        }
    }

    private void endWrites() {
        waiting.forEach(write -> write.wakeupCustomer(PutMessageStatus.FLUSH_SLAVE_TIMEOUT));
    }

    /** Returns the members that have the log up to an offset, this one included. */
    private long countCopies(long offset) {
        return 1
                + getConnectionList().stream()
                        .filter(connection -> connection.getSlaveAckOffset() >= offset)
                        .count();
    }

    /**
     * Returns the newest connection of each slave.
     *
     * <p>A write is acknowledged when as many connections have it as there are members in sync. RocketMQ also returns
     * those whose end this master has not noticed yet. A slave that has connected again then counts twice, and another
     * member in sync, which can be elected, may lack the write.
     */
    @Override
    public List<HAConnection> getConnectionList() {
        return repeatWhileChanging(() -> {
            Map<Long, HAConnection> newest = new HashMap<>();
            for (HAConnection connection : connectionList) {
                newest.put(((AutoSwitchHAConnection) connection).getSlaveId(), connection);
            }
            return new ArrayList<>(newest.values());
        });
    }

    /**
     * Returns the set that the controllers have confirmed. If this broker is its only member, the queues get all of the
     * log. Otherwise they get what every member has.
     *
     * <p>RocketMQ 5.4.0 and 5.5.0 take a slave out when its connection ends, and at once fill the queues of a master
     * without slaves. Consumers, timers and checks of transactions then read messages that are truncated if another
     * master was elected. They continue after these places, and skip what the new master stored there.
     */
    @Override
    public Set<Long> getLocalSyncStateSet() {
        return new HashSet<>(confirmed); // the callers change it
    }

    /** Called with a slave that has reported its offset. */
    @Override
    public void updateConfirmOffsetWhenSlaveAck(Long slave) {
        if (confirmed.contains(slave)) {
            synchronized (offsetLock) {
                defaultMessageStore.setConfirmOffset(computeConfirmOffset());
            }
        }
    }

    /**
     * Waits until the members that are not confirmed have the log up to its present end, and returns whether they have.
     * Returns false at once if one is not connected, or has reported no offset yet.
     */
    boolean awaitLog(Set<Long> members) {
        long end = defaultMessageStore.getMaxPhyOffset();
        long begin = System.nanoTime();
        long reached = findLeast(members, confirmed);
        while (reached >= 0 && reached < end && System.nanoTime() - begin < CATCH_UP_NANOS) {
            LockSupport.parkNanos(1_000_000L);
            reached = findLeast(members, confirmed);
        }
        return reached >= end;
    }

    /**
     * Returns the offset up to which members have the log, without this broker and some others. Returns -1 if one is not
     * connected or has reported no offset yet, and the maximum if no member remains.
     */
    private long findLeast(Set<Long> members, Set<Long> others) {
        Set<Long> slaves = new HashSet<>(members);
        slaves.removeAll(others);
        slaves.remove(getLocalBrokerId());
        List<HAConnection> connections = getConnectionList().stream()
                .filter(connection -> slaves.contains(((AutoSwitchHAConnection) connection).getSlaveId()))
                .collect(Collectors.toList());
        if (connections.size() < slaves.size()) {
            return -1;
        }
        return connections.stream()
                .mapToLong(HAConnection::getSlaveAckOffset)
                .min()
                .orElse(Long.MAX_VALUE);
    }

    /** Returns the members that a write waits for. */
    @Override
    public Set<Long> getSyncStateSet() {
        Set<Long> members = new HashSet<>(confirmed);
        proposals.addTo(members);
        return members;
    }

    /** Returns the number of these members. With fewer than {@code minInSyncReplicas}, a write is refused. */
    @Override
    public int inSyncReplicasNums(long end) {
        return getSyncStateSet().size();
    }

    /** A write that is acknowledged only with enough copies. */
    private final class CountedWrite extends CommitLog.GroupCommitRequest {
        private final CommitLog.GroupCommitRequest write;
        private final int needed;

        CountedWrite(CommitLog.GroupCommitRequest write, int needed) {
            super(
                    write.getNextOffset(),
                    Math.max(0, (write.getDeadLine() - System.nanoTime()) / 1_000_000),
                    write.getAckNums());
            this.write = write;
            this.needed = needed;
        }

        @Override
        public void wakeupCustomer(PutMessageStatus status) {
            waiting.remove(this);
            boolean few = status == PutMessageStatus.PUT_OK && countCopies(write.getNextOffset()) < needed;
            write.wakeupCustomer(few ? PutMessageStatus.FLUSH_SLAVE_TIMEOUT : status);
        }
    }

    private static final class Master {
        private final String address;
        private final String replication;
        private final long since = System.nanoTime();

        Master(String address, String replication) {
            this.address = address;
            this.replication = replication;
        }
    }
}
