package eks_rocketmq;

import org.apache.rocketmq.store.DefaultMessageStore;
import org.apache.rocketmq.store.ha.autoswitch.AutoSwitchHAService;

/**
 * Lets a slave follow a master that the controllers elect again, with another address.
 *
 * <p>Argument: {@code broker.conf}. Prints {@code NAME ADDRESS}: the master to which the slave connects, for RocketMQ's
 * own replication and for that of the agent. The broker opens no port, and the addresses do not answer.
 */
public final class RestartedMaster {
    private RestartedMaster() {}

    public static void main(String[] arguments) {
        TestProgram.compare(arguments, RestartedMaster::report);
    }

    private static void report(String name, AutoSwitchHAService service, DefaultMessageStore store) throws Exception {
        service.init(store);
        service.setLocalBrokerId(2L);
        service.changeToSlave("127.0.0.1:10911", 1, 2L);
        service.updateHaMasterAddress("127.0.0.1:1"); // the answer of a name server
        service.changeToSlaveWhenMasterNotChange("127.0.0.2:10911", 2);
        System.out.println(name + " " + service.getHAClient().getHaMasterAddress().split(":")[0]);
    }
}
