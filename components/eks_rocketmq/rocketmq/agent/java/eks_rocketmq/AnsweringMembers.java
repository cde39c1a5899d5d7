package eks_rocketmq;

import java.util.HashSet;
import java.util.Set;
import org.apache.rocketmq.controller.ControllerManager;
import org.apache.rocketmq.controller.elect.ElectPolicy;
import org.apache.rocketmq.controller.elect.impl.DefaultElectPolicy;
import org.apache.rocketmq.controller.helper.BrokerLiveInfoGetter;
import org.apache.rocketmq.controller.helper.BrokerValidPredicate;
import org.apache.rocketmq.controller.impl.DLedgerController;
import org.apache.rocketmq.controller.impl.heartbeat.BrokerLiveInfo;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;
import org.apache.rocketmq.remoting.protocol.RequestCode;
import org.apache.rocketmq.remoting.protocol.ResponseCode;

/**
 * Elects a member that answers and does not stop, if one of the in-sync members does.
 *
 * <p>RocketMQ elects any in-sync member whose heartbeats have not ended yet, and then only that member is in sync. If a
 * slave dies with the master, it can be elected just before its connection ends. The group then waits for it,
 * although the other slave has all messages: without a master until it is back, and without the acknowledged messages
 * that it has lost with its power or its volume.
 *
 * <p>A controller that has just started and leads has no heartbeats. RocketMQ then replaced a healthy master as soon as
 * another member had sent its first one.
 */
final class AnsweringMembers implements ElectPolicy {
    private static final int ANSWER_MILLIS = 2000;

    private final ElectPolicy policy;
    private final BrokerLiveInfoGetter members;
    private final BrokerValidPredicate awaited;
    private final Requests requests = Requests.create(ANSWER_MILLIS, ANSWER_MILLIS);

    /** @param awaited whether the first heartbeat of a member may still arrive */
    AnsweringMembers(ElectPolicy policy, BrokerLiveInfoGetter members, BrokerValidPredicate awaited) {
        this.policy = policy;
        this.members = members;
        this.awaited = awaited;
    }

    /** Replaces the policy of a controller. */
    static void install(ControllerManager manager) {
        CurrentHeartbeats heartbeats = (CurrentHeartbeats) manager.getHeartbeatManager();
        ElectPolicy policy = new DefaultElectPolicy(heartbeats::isBrokerActive, heartbeats::getBrokerLiveInfo);
        ((DLedgerController) manager.getController())
                .setElectPolicy(new AnsweringMembers(
                        policy,
                        heartbeats::getBrokerLiveInfo,
                        (cluster, group, id) -> heartbeats.isAwaited(group, id)));
    }

    /**
     * If no member answers, it elects the one that RocketMQ elects, as the machine may only be slow. A preferred member
     * that does not answer is not elected: the drain that prefers it tries another one.
     */
    @Override
    public Long elect(
            String cluster, String group, Set<Long> inSync, Set<Long> all, Long oldMaster, Long preferred) {
        if (preferred == null && inSync.contains(oldMaster) && awaited.check(cluster, group, oldMaster)) {
            return oldMaster; // the controllers ask again
        }
        Set<Long> candidates = new HashSet<>(inSync);
        Long first = policy.elect(cluster, group, inSync, all, oldMaster, preferred);
        Long next = first;
        while (next != null && candidates.remove(next)) {
            if (next.equals(oldMaster) || answers(cluster, group, next)) {
                return next;
            }
            System.out.println("member " + next + " of " + group + " is silent or stops, so another one is elected");
            next = policy.elect(cluster, group, candidates, null, oldMaster, preferred);
        }
        return preferred == null ? first : null;
    }

    private boolean answers(String cluster, String group, Long id) {
        BrokerLiveInfo member = members.get(cluster, group, id);
        if (member == null || isSilent(member)) {
            return false;
        }
        RemotingCommand request = RemotingCommand.createRequestCommand(RequestCode.GET_BROKER_HA_STATUS, null);
        request.addExtField(DrainFence.ELECTION, "true");
        RemotingCommand response = requests.send(member.getBrokerAddr(), request);
        return response != null && response.getCode() != ResponseCode.SERVICE_NOT_AVAILABLE;
    }

    /** Whether its heartbeats are missing. A request to it would hold up all events of the controllers until its end. */
    private static boolean isSilent(BrokerLiveInfo member) {
        long passed = System.currentTimeMillis() - member.getLastUpdateTimestamp();
        return passed > member.getHeartbeatTimeoutMillis() / 2;
    }
}
