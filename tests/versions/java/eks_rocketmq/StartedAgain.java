package eks_rocketmq;

import java.util.Arrays;
import java.util.HashSet;
import org.apache.rocketmq.common.ControllerConfig;
import org.apache.rocketmq.controller.elect.ElectPolicy;
import org.apache.rocketmq.controller.elect.impl.DefaultElectPolicy;
import org.apache.rocketmq.controller.impl.event.AlterSyncStateSetEvent;
import org.apache.rocketmq.controller.impl.event.ApplyBrokerIdEvent;
import org.apache.rocketmq.controller.impl.event.ControllerResult;
import org.apache.rocketmq.controller.impl.event.ElectMasterEvent;
import org.apache.rocketmq.controller.impl.event.EventMessage;
import org.apache.rocketmq.controller.impl.manager.ReplicasInfoManager;
import org.apache.rocketmq.remoting.protocol.RemotingSerializable;
import org.apache.rocketmq.remoting.protocol.body.ElectMasterResponseBody;
import org.apache.rocketmq.remoting.protocol.header.controller.ElectMasterRequestHeader;
import org.apache.rocketmq.remoting.protocol.header.controller.ElectMasterResponseHeader;
import org.apache.rocketmq.remoting.protocol.header.controller.register.RegisterBrokerToControllerRequestHeader;

/**
 * Starts members of a group again whose master the controllers know: first the slave 2, then the master 1.
 *
 * <p>Prints for RocketMQ's own controllers and for those of the agent: {@code NAME-slave} and {@code NAME}, master and
 * epoch in the answers to the registration and to the request for an election. {@code NAME-members} are the addresses
 * that hear of the election, {@code NAME-later} master, epoch and in-sync set that the controllers know in the end.
 */
public final class StartedAgain {
    private static final String GROUP = "broker-a";

    private StartedAgain() {}

    public static void main(String[] arguments) {
        TestProgram.run(() -> {
            report("rocketmq", new ReplicasInfoManager(new ControllerConfig()));
            report("agent", new RestartedMasters(new ControllerConfig()));
        });
    }

    private static void report(String name, ReplicasInfoManager controllers) {
        for (long id = 1; id <= 3; id++) {
            controllers.applyEvent(new ApplyBrokerIdEvent("c", GROUP, "10.0.0." + id + ":10911", id, "code" + id));
        }
        controllers.applyEvent(new ElectMasterEvent(GROUP, 1L));
        controllers.applyEvent(new AlterSyncStateSetEvent(GROUP, new HashSet<>(Arrays.asList(1L, 2L, 3L))));
        System.out.println(name + "-slave " + start(controllers, 2L, name));
        System.out.println(name + " " + start(controllers, 1L, name));
        ControllerResult<ElectMasterResponseHeader> later = elect(controllers, 3L);
        ElectMasterResponseBody body =
                RemotingSerializable.decode(later.getBody(), ElectMasterResponseBody.class);
        System.out.println(
                name + "-later " + format(later) + body.getSyncStateSet().toString().replace(" ", ""));
    }

    private static String start(ReplicasInfoManager controllers, Long id, String name) {
        Long registered = controllers
                .registerBroker(
                        new RegisterBrokerToControllerRequestHeader("c", GROUP, id, "10.0.0." + id + ":10911"),
                        (cluster, group, member) -> true)
                .getResponse()
                .getMasterBrokerId();
        ControllerResult<ElectMasterResponseHeader> result = elect(controllers, id);
        for (EventMessage event : result.getEvents()) {
            controllers.applyEvent(event);
            ElectMasterResponseBody body =
                    RemotingSerializable.decode(result.getBody(), ElectMasterResponseBody.class);
            System.out.println(name + "-members "
                    + body.getBrokerMemberGroup().getBrokerAddrs().size());
        }
        return registered + "/" + format(result);
    }

    private static ControllerResult<ElectMasterResponseHeader> elect(ReplicasInfoManager controllers, Long id) {
        ElectPolicy alive = new DefaultElectPolicy((cluster, group, member) -> true, null);
        return controllers.electMaster(ElectMasterRequestHeader.ofBrokerTrigger("c", GROUP, id), alive);
    }

    private static String format(ControllerResult<ElectMasterResponseHeader> result) {
        return result.getResponse().getMasterBrokerId() + "/" + result.getResponse().getMasterEpoch();
    }
}
