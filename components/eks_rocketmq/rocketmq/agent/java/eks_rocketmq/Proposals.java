package eks_rocketmq;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;
import java.util.function.Predicate;
import org.apache.rocketmq.broker.BrokerController;
import org.apache.rocketmq.remoting.RPCHook;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;
import org.apache.rocketmq.remoting.protocol.RemotingSerializable;
import org.apache.rocketmq.remoting.protocol.RequestCode;
import org.apache.rocketmq.remoting.protocol.ResponseCode;
import org.apache.rocketmq.remoting.protocol.body.SyncStateSet;
import org.apache.rocketmq.store.MessageStore;

/**
 * In-sync sets that a master has proposed to the controllers, and which they may have accepted.
 *
 * <p>The controllers may elect a member of such a set, so writes wait for it. RocketMQ waits for all members that it has
 * proposed until it learns of another set, also if the controllers have refused the proposal. They refuse a slave that
 * connects before its first heartbeat. If this slave then stopped, writes waited until it was back.
 *
 * <p>The controllers accept a proposal only if it has the epoch of their own set, and each change raises this epoch.
 */
final class Proposals implements RPCHook {
    /** Codes with which the controllers refuse a proposal. After another one they may still accept it. */
    private static final Set<Integer> REFUSALS = new HashSet<>(Arrays.asList(
            ResponseCode.CONTROLLER_FENCED_MASTER_EPOCH,
            ResponseCode.CONTROLLER_FENCED_SYNC_STATE_SET_EPOCH,
            ResponseCode.CONTROLLER_INVALID_MASTER,
            ResponseCode.CONTROLLER_NOT_LEADER, // which it says before it does anything
            ResponseCode.CONTROLLER_INVALID_REPLICAS,
            ResponseCode.CONTROLLER_BROKER_NOT_ALIVE,
            ResponseCode.CONTROLLER_ALTER_SYNC_STATE_SET_FAILED));

    /** How long a proposal can be on its way. The controllers end a request after 3 s, and an event after 5 s. */
    static volatile long lateMillis = 15_000; // visible for tests

    private final Map<Integer, Proposal> open = new ConcurrentHashMap<>();
    private final IntSupplier epoch;
    private final Predicate<Set<Long>> complete;

    /**
     * The supplier returns the epoch of the set that this broker knows. The predicate waits until members have the log
     * up to now, and returns false if they do not get it.
     */
    Proposals(IntSupplier epoch, Predicate<Set<Long>> complete) {
        this.epoch = epoch;
        this.complete = complete;
    }

    /** Returns the proposals of a broker that is not started yet. */
    static Proposals of(BrokerController controller) {
        MessageStore store = controller.getMessageStore();
        Proposals proposals = new Proposals(
                () -> controller.getReplicasManager().getSyncStateSet().getSyncStateSetEpoch(),
                members -> ((ConfirmedHAService) store.getHaService()).awaitLog(members));
        controller.getBrokerOuterAPI().registerRPCHook(proposals);
        return proposals;
    }

    /**
     * Called before a request is sent. Writes wait for the members of a proposal from now on. The proposal is sent when
     * the members have the log up to now, part of which may have been acknowledged without them.
     *
     * <p>RocketMQ has found some milliseconds ago that the slave has the whole log. Writes that were acknowledged since
     * then would be lost if the controllers elected this slave at once.
     */
    @Override
    public void doBeforeRequest(String address, RemotingCommand request) {
        if (request.getCode() == RequestCode.CONTROLLER_ALTER_SYNC_STATE_SET) {
            SyncStateSet set = decode(request);
            open.put(request.getOpaque(), new Proposal(set));
            if (!complete.test(set.getSyncStateSet())) {
                open.remove(request.getOpaque());
                throw new IllegalStateException("a member of " + set.getSyncStateSet() + " does not have the whole log");
            }
        }
    }

    @Override
    public void doAfterResponse(String address, RemotingCommand request, RemotingCommand response) {
        if (request.getCode() == RequestCode.CONTROLLER_ALTER_SYNC_STATE_SET
                && REFUSALS.contains(response.getCode())) {
            open.remove(request.getOpaque());
        }
        if (request.getCode() == RequestCode.CONTROLLER_GET_REPLICA_INFO
                && response.getCode() == ResponseCode.SUCCESS) {
            int current = decode(response).getSyncStateSetEpoch();
            // With a later epoch, the set counts when this broker knows it: probes ask too, and do not use the answer.
            open.values()
                    .removeIf(proposal -> proposal.set.getSyncStateSetEpoch() == current && proposal.isLate());
        }
    }

    /** Called when this broker knows a set of the controllers. They accept no proposal with an earlier epoch any more. */
    void removePast() {
        int current = epoch.getAsInt();
        open.values().removeIf(proposal -> proposal.set.getSyncStateSetEpoch() < current);
    }

    void clear() {
        open.clear();
    }

    boolean isEmpty() {
        return open.isEmpty();
    }

    /** Adds the members of all sets. */
    void addTo(Set<Long> members) {
        open.values().forEach(proposal -> members.addAll(proposal.set.getSyncStateSet()));
    }

    private static SyncStateSet decode(RemotingCommand command) {
        return RemotingSerializable.decode(command.getBody(), SyncStateSet.class);
    }

    private static final class Proposal {
        private final SyncStateSet set;
        private final long made = System.nanoTime();

        Proposal(SyncStateSet set) {
            this.set = set;
        }

        boolean isLate() {
            return System.nanoTime() - made > TimeUnit.MILLISECONDS.toNanos(lateMillis);
        }
    }
}
