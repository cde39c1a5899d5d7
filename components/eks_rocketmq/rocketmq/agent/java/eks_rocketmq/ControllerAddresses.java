package eks_rocketmq;

import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.rocketmq.broker.BrokerController;
import org.apache.rocketmq.broker.controller.ReplicasManager;

/**
 * Makes a broker know all controllers that there are.
 *
 * <p>A broker sends heartbeats to the controllers of its configuration only. When their number changes, a new one can
 * become the leader. It then counts all members as dead that have not been restarted since, and takes none of them into
 * the in-sync set. The first member that restarts does not get ready, so the others are not restarted.
 */
final class ControllerAddresses {
    private ControllerAddresses() {}

    /**
     * Called from time to time.
     *
     * @param peers what a controller answers: {@code n0:HOST:PORT;n1:HOST:PORT;}.
     */
    static void update(BrokerController broker, String peers) throws ReflectiveOperationException {
        ReplicasManager replicas = broker.getReplicasManager();
        List<String> addresses = Arrays.stream(peers.split(";"))
                .map(peer -> peer.substring(peer.indexOf(':') + 1))
                .collect(Collectors.toList());
        if (!new HashSet<>(addresses).equals(new HashSet<>(replicas.getControllerAddresses()))) {
            System.out.println("the controllers are now " + addresses);
            broker.getBrokerConfig().setControllerAddr(String.join(";", addresses));
            readSetting(replicas);
        }
    }

    /** Reads the setting at once. RocketMQ reads it when it starts, and every 2 minutes. */
    static void readSetting(ReplicasManager replicas) throws ReflectiveOperationException {
        Method read = ReplicasManager.class.getDeclaredMethod("updateControllerAddr");
        read.setAccessible(true);
        read.invoke(replicas);
    }
}
