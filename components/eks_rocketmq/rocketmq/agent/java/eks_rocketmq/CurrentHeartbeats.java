package eks_rocketmq;

import io.netty.channel.Channel;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.rocketmq.controller.ControllerManager;
import org.apache.rocketmq.controller.impl.heartbeat.BrokerLiveInfo;
import org.apache.rocketmq.controller.impl.heartbeat.DefaultBrokerHeartbeatManager;

/**
 * Keeps the address and the connection of each broker's last heartbeat.
 *
 * <p>RocketMQ keeps those of the first one, until heartbeats are missing for 10 s or their connection ends. A heartbeat
 * and the end of its connection are handled by different threads. If the last heartbeat of a stopped broker is handled
 * late, its entry is alive without a connection, and the next process of this broker keeps it alive with the address of
 * the former pod. The controllers then cannot ask this member whether it answers, and do not notice when its
 * connection ends.
 *
 * <p>It also knows which brokers a controller that has just started did not hear of yet.
 */
final class CurrentHeartbeats extends DefaultBrokerHeartbeatManager {
    /** How long after the first heartbeat those of other brokers may arrive. Each one sends one a second. */
    private static final long LATE_NANOS = 5_000_000_000L;

    private final Set<String> known = ConcurrentHashMap.newKeySet();
    private volatile long first;

    CurrentHeartbeats(ControllerManager manager) {
        super(manager.getControllerConfig());
    }

    /** Replaces the heartbeats of a controller that is not initialized yet. */
    static void install(ControllerManager manager) throws ReflectiveOperationException {
        PrivateFields.write(ControllerManager.class, "heartbeatManager", manager, new CurrentHeartbeats(manager));
    }

    @Override
    public void onBrokerHeartbeat(
            String cluster,
            String group,
            String address,
            Long id,
            Long timeoutMillis,
            Channel channel,
            Integer epoch,
            Long maxOffset,
            Long confirmOffset,
            Integer priority) {
        if (!channel.isActive()) {
            return; // a late one: the broker has another connection by now, or none
        }
        if (known.isEmpty()) {
            first = System.nanoTime();
        }
        known.add(describe(group, id));
        super.onBrokerHeartbeat(
                cluster, group, address, id, timeoutMillis, channel, epoch, maxOffset, confirmOffset, priority);
        BrokerLiveInfo member = getBrokerLiveInfo(cluster, group, id);
        if (member != null) {
            member.setBrokerAddr(address);
            member.setChannel(channel);
        }
        // Its end may have been handled meanwhile.
        if (!channel.isActive()) {
            onBrokerChannelClose(channel);
        }
    }

    /** Returns whether the first heartbeat of a broker may still arrive. */
    boolean isAwaited(String group, Long id) {
        return !known.contains(describe(group, id)) && (known.isEmpty() || System.nanoTime() - first < LATE_NANOS);
    }

    private static String describe(String group, Long id) {
        return group + " " + id;
    }
}
