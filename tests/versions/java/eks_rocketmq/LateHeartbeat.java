package eks_rocketmq;

import io.netty.channel.Channel;
import io.netty.channel.embedded.EmbeddedChannel;
import org.apache.rocketmq.common.ControllerConfig;
import org.apache.rocketmq.controller.BrokerHeartbeatManager;
import org.apache.rocketmq.controller.ControllerManager;
import org.apache.rocketmq.controller.impl.heartbeat.BrokerLiveInfo;
import org.apache.rocketmq.controller.impl.heartbeat.DefaultBrokerHeartbeatManager;
import org.apache.rocketmq.remoting.netty.NettyClientConfig;
import org.apache.rocketmq.remoting.netty.NettyServerConfig;

/**
 * Handles the last heartbeat of a stopped broker after the end of its connection, and then those of its next process.
 *
 * <p>Prints {@code NAME RESULT} for RocketMQ's own heartbeats and for those of the agent: whether the broker is alive
 * after the late heartbeat, the address by which it is asked after that of the next process, and whether it is alive
 * after the end of the connection of this one.
 */
public final class LateHeartbeat {
    private LateHeartbeat() {}

    public static void main(String[] arguments) {
        TestProgram.run(() -> {
            ControllerConfig config = new ControllerConfig();
            report("rocketmq", new DefaultBrokerHeartbeatManager(config));
            ControllerManager manager =
                    new ControllerManager(config, new NettyServerConfig(), new NettyClientConfig());
            CurrentHeartbeats.install(manager);
            report("agent", manager.getHeartbeatManager());
        });
    }

    private static void report(String name, BrokerHeartbeatManager heartbeats) {
        heartbeats.initialize();
        Channel stopped = new EmbeddedChannel();
        beat(heartbeats, "10.0.0.1:10911", stopped);
        end(heartbeats, stopped);
        beat(heartbeats, "10.0.0.1:10911", stopped);
        System.out.println(name + "-stopped " + (find(heartbeats) == null ? "gone" : "alive"));
        Channel next = new EmbeddedChannel();
        beat(heartbeats, "10.0.0.2:10911", next);
        System.out.println(name + "-address " + find(heartbeats).getBrokerAddr());
        end(heartbeats, next);
        System.out.println(name + "-killed " + (find(heartbeats) == null ? "gone" : "alive"));
    }

    private static void beat(BrokerHeartbeatManager heartbeats, String address, Channel channel) {
        heartbeats.onBrokerHeartbeat("c", "g", address, 1L, 10_000L, channel, 1, 0L, 0L, 0);
    }

    private static void end(BrokerHeartbeatManager heartbeats, Channel channel) {
        channel.close();
        heartbeats.onBrokerChannelClose(channel);
    }

    private static BrokerLiveInfo find(BrokerHeartbeatManager heartbeats) {
        return heartbeats.getBrokerLiveInfo("c", "g", 1L);
    }
}
