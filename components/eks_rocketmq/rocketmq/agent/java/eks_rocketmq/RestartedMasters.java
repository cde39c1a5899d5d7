package eks_rocketmq;

import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.apache.rocketmq.common.ControllerConfig;
import org.apache.rocketmq.controller.elect.ElectPolicy;
import org.apache.rocketmq.controller.helper.BrokerValidPredicate;
import org.apache.rocketmq.controller.impl.DLedgerController;
import org.apache.rocketmq.controller.impl.DLedgerControllerStateMachine;
import org.apache.rocketmq.controller.impl.event.ControllerResult;
import org.apache.rocketmq.controller.impl.event.ElectMasterEvent;
import org.apache.rocketmq.controller.impl.manager.BrokerReplicaInfo;
import org.apache.rocketmq.controller.impl.manager.ReplicasInfoManager;
import org.apache.rocketmq.remoting.protocol.ResponseCode;
import org.apache.rocketmq.remoting.protocol.body.BrokerMemberGroup;
import org.apache.rocketmq.remoting.protocol.body.ElectMasterResponseBody;
import org.apache.rocketmq.remoting.protocol.header.controller.ElectMasterRequestHeader;
import org.apache.rocketmq.remoting.protocol.header.controller.ElectMasterResponseHeader;
import org.apache.rocketmq.remoting.protocol.header.controller.register.RegisterBrokerToControllerRequestHeader;
import org.apache.rocketmq.remoting.protocol.header.controller.register.RegisterBrokerToControllerResponseHeader;

/**
 * State of the controllers that gives a restarted master a new epoch.
 *
 * <p>When all members and controllers stop at once, no other member is elected. RocketMQ tells the master at its start
 * that it is still master, of the same epoch. The master then records that this epoch begins at the end of its log. The
 * slaves have the former begin of the epoch, so they truncate all of it and copy it again. In the first epoch of a group
 * there is nothing before it: no slave can follow any more, and the group accepts no writes.
 */
final class RestartedMasters extends ReplicasInfoManager {
    RestartedMasters(ControllerConfig config) {
        super(config);
    }

    /** Replaces the state of a controller that has not applied any event. */
    static void install(DLedgerController controller, ControllerConfig config) throws ReflectiveOperationException {
        RestartedMasters state = new RestartedMasters(config);
        DLedgerControllerStateMachine machine =
                PrivateFields.read(DLedgerController.class, "statemachine", controller);
        PrivateFields.write(DLedgerController.class, "replicasInfoManager", controller, state);
        PrivateFields.write(DLedgerControllerStateMachine.class, "replicasInfoManager", machine, state);
    }

    /** Called with a broker that starts. A former master does not get its role, and asks for an election. */
    @Override
    public ControllerResult<RegisterBrokerToControllerResponseHeader> registerBroker(
            RegisterBrokerToControllerRequestHeader request, BrokerValidPredicate alive) {
        ControllerResult<RegisterBrokerToControllerResponseHeader> result = super.registerBroker(request, alive);
        RegisterBrokerToControllerResponseHeader response = result.getResponse();
        if (request.getBrokerId() != null && request.getBrokerId().equals(response.getMasterBrokerId())) {
            response.setMasterBrokerId(null);
            response.setMasterAddress(null);
        }
        return result;
    }

    /** Elects the master again if it asks itself, as only a broker without a role does. */
    @Override
    public ControllerResult<ElectMasterResponseHeader> electMaster(
            ElectMasterRequestHeader request, ElectPolicy policy) {
        ControllerResult<ElectMasterResponseHeader> result = super.electMaster(request, policy);
        Long master = result.getResponse().getMasterBrokerId();
        boolean restarted = result.getResponseCode() == ResponseCode.CONTROLLER_MASTER_STILL_EXIST
                && !request.getDesignateElect()
                && master.equals(request.getBrokerId());
        return restarted ? elect(request.getBrokerName(), result.getResponse()) : result;
    }

    private ControllerResult<ElectMasterResponseHeader> elect(String group, ElectMasterResponseHeader former) {
        Long master = former.getMasterBrokerId();
        ElectMasterResponseHeader response = new ElectMasterResponseHeader();
        response.setMasterBrokerId(master);
        response.setMasterAddress(former.getMasterAddress());
        response.setMasterEpoch(former.getMasterEpoch() + 1);
        response.setSyncStateSetEpoch(former.getSyncStateSetEpoch() + 1);
        ControllerResult<ElectMasterResponseHeader> result = new ControllerResult<>(response);
        Set<Long> inSync = Collections.singleton(master);
        result.setBody(new ElectMasterResponseBody(listMembers(group), inSync).encode());
        result.addEvent(new ElectMasterEvent(group, master));
        return result;
    }

    private BrokerMemberGroup listMembers(String group) {
        try {
            Map<String, BrokerReplicaInfo> groups =
                    PrivateFields.read(ReplicasInfoManager.class, "replicaInfoTable", this);
            BrokerReplicaInfo known = groups.get(group);
            BrokerMemberGroup members = new BrokerMemberGroup(known.getClusterName(), group);
            members.setBrokerAddrs(new HashMap<>(known.getBrokerIdTable()));
            return members;
        } catch (ReflectiveOperationException error) {
            throw new IllegalStateException("cannot read the members of " + group, error);
        }
    }
}
