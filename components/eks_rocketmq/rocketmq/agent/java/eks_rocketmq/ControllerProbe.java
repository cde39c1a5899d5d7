package eks_rocketmq;

import io.openmessaging.storage.dledger.protocol.DLedgerRequestCode;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.apache.rocketmq.controller.Controller;
import org.apache.rocketmq.controller.ControllerManager;
import org.apache.rocketmq.controller.impl.DLedgerController;
import org.apache.rocketmq.controller.impl.heartbeat.BrokerLiveInfo;
import org.apache.rocketmq.controller.impl.heartbeat.DefaultBrokerHeartbeatManager;
import org.apache.rocketmq.controller.impl.manager.ReplicasInfoManager;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;
import org.apache.rocketmq.remoting.protocol.header.controller.GetReplicaInfoRequestHeader;

/**
 * Probes of a controller. It is ready if it knows a leader and its own state is complete, so that a rolling update stops
 * at a controller that would lead with a wrong state.
 */
final class ControllerProbe extends RequestProbe {
    private static final long APPLY_MILLIS = 3000; // an event reaches a follower within 1 s
    private static final long PAUSE_MILLIS = 200;

    private final ControllerLog log;
    private final ReplicasInfoManager state;
    private final Map<?, BrokerLiveInfo> brokers;

    ControllerProbe(ControllerManager manager, ControllerLog log) throws ReflectiveOperationException {
        super(9878, 1005, RequestProbe::namesLeader);
        this.log = log;
        Controller controller = manager.getController();
        this.state = PrivateFields.read(DLedgerController.class, "replicasInfoManager", controller);
        Object heartbeats = manager.getHeartbeatManager();
        this.brokers = PrivateFields.read(DefaultBrokerHeartbeatManager.class, "brokerLiveTable", heartbeats);
    }

    @Override
    public String checkReady() {
        String reason = super.checkReady();
        if (reason != null) {
            return reason;
        }
        long deadline = System.nanoTime() + APPLY_MILLIS * 1_000_000;
        reason = checkState();
        while (reason != null && System.nanoTime() < deadline) {
            try {
                Thread.sleep(PAUSE_MILLIS);
            } catch (InterruptedException error) {
                Thread.currentThread().interrupt();
                return "interrupted";
            }
            reason = checkState();
        }
        if (reason != null && log.lacksEvents()) {
            requestEvent();
        }
        return reason;
    }

    /**
     * Lets the leader append an event. A leader of DLedger still believes that a follower has what it had before its
     * volume was emptied. It compares the logs and sends the missing events when the follower cannot append the next one.
     */
    private void requestEvent() {
        String leader = log.findLeader();
        if (leader != null) {
            RemotingCommand request = RemotingCommand.createRequestCommand(DLedgerRequestCode.APPEND.getCode(), null);
            request.setBody(log.formatEmptyEvent().getBytes(StandardCharsets.UTF_8));
            ask(leader, request);
        }
    }

    private String checkState() {
        String reason = log.checkApplied();
        return reason == null ? checkEpochs() : reason;
    }

    /** Brokers send heartbeats to all controllers. They refuse a master of a lower epoch than they have seen. */
    private String checkEpochs() {
        for (BrokerLiveInfo broker : brokers.values()) {
            String group = broker.getBrokerName();
            Integer known = state.getReplicaInfo(new GetReplicaInfoRequestHeader(group)).getResponse().getMasterEpoch();
            if (known == null) {
                return "this controller does not know the group " + group;
            }
            if (broker.getEpoch() > known) {
                return "the epoch of " + group + " is " + known + " here, but " + broker.getEpoch() + " in its member "
                        + broker.getBrokerId();
            }
        }
        return null;
    }
}
