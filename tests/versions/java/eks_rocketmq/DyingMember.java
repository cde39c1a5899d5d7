package eks_rocketmq;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.apache.rocketmq.controller.elect.ElectPolicy;
import org.apache.rocketmq.controller.elect.impl.DefaultElectPolicy;
import org.apache.rocketmq.controller.helper.BrokerLiveInfoGetter;
import org.apache.rocketmq.controller.impl.heartbeat.BrokerLiveInfo;
import org.apache.rocketmq.remoting.netty.NettyRemotingServer;
import org.apache.rocketmq.remoting.protocol.ResponseCode;

/**
 * Elects a master while the heartbeats of members that have died are not over.
 *
 * <p>Member 1 refuses connections, 2 accepts them and is silent, 3 answers with an error, 5 says that it stops. Member 6
 * answers, but its heartbeats are missing for half of their time limit. Those of member 4 are over, or not there yet
 * ({@code awaited}), when it is the former master. Prints {@code NAME ID} for each election.
 */
public final class DyingMember {
    private static final Map<Long, String> ADDRESSES = new HashMap<>();

    private DyingMember() {}

    public static void main(String[] arguments) throws Exception {
        InetAddress loopback = InetAddress.getByName("127.0.0.1");
        ServerSocket closed = new ServerSocket(0, 50, loopback);
        closed.close();
        ServerSocket silent = new ServerSocket(0, 50, loopback);
        ADDRESSES.put(1L, "127.0.0.1:" + closed.getLocalPort());
        ADDRESSES.put(2L, "127.0.0.1:" + silent.getLocalPort());
        ADDRESSES.put(3L, "127.0.0.1:" + startServer(ResponseCode.NO_PERMISSION));
        ADDRESSES.put(6L, ADDRESSES.get(3L));
        ADDRESSES.put(5L, "127.0.0.1:" + startServer(ResponseCode.SERVICE_NOT_AVAILABLE));

        // The heartbeats of a member tell how far its log is. The first one elected has the most.
        BrokerLiveInfoGetter members = (cluster, group, id) ->
                new BrokerLiveInfo(
                        group,
                        ADDRESSES.get(id),
                        id,
                        System.currentTimeMillis() - (id == 6 ? 6_000 : 0),
                        10_000,
                        null,
                        1,
                        id >= 5 ? 2_000 : 1_000 - id,
                        0);
        ElectPolicy rocketmq = new DefaultElectPolicy((cluster, group, id) -> id != 4, members);
        ElectPolicy agent = new AnsweringMembers(rocketmq, members, (cluster, group, id) -> false);
        ElectPolicy started = new AnsweringMembers(rocketmq, members, (cluster, group, id) -> id == 4);
        elect(agent, null, null, 3L); // loading the classes of the client can exceed the time limit of an answer
        System.out.println("rocketmq " + elect(rocketmq, null, null, 1L, 2L, 3L, 4L));
        System.out.println("agent " + elect(agent, null, null, 1L, 2L, 3L, 4L));
        System.out.println("agent-none-answers " + elect(agent, null, null, 1L, 2L, 4L));
        System.out.println("agent-stops " + elect(agent, null, null, 3L, 5L));
        System.out.println("agent-without-heartbeats " + elect(agent, null, null, 3L, 6L));
        System.out.println("agent-preferred-stops " + elect(agent, 3L, 5L, 3L, 5L));
        System.out.println("agent-preferred " + elect(agent, null, 3L, 1L, 2L, 3L));
        System.out.println("agent-master-alive " + elect(agent, 2L, null, 1L, 2L, 3L));
        System.out.println("agent-unclean " + agent.elect("c", "g", ids(4L), ids(1L, 4L), 4L, null));
        System.out.println("agent-none-alive " + elect(agent, 4L, null, 4L));
        System.out.println("agent-dead " + elect(agent, 4L, null, 3L, 4L));
        System.out.println("rocketmq-awaited " + elect(rocketmq, 4L, null, 3L, 4L));
        System.out.println("agent-awaited " + elect(started, 4L, null, 3L, 4L));
        System.out.println("agent-awaited-preferred " + elect(started, 4L, 3L, 3L, 4L));
        Runtime.getRuntime().halt(0);
    }

    private static int startServer(int code) {
        NettyRemotingServer server = AnsweringServer.create(code);
        server.start();
        return server.localListenPort();
    }

    private static Long elect(ElectPolicy policy, Long oldMaster, Long preferred, Long... inSync) {
        return policy.elect("c", "g", ids(inSync), null, oldMaster, preferred);
    }

    private static Set<Long> ids(Long... ids) {
        return new HashSet<>(Arrays.asList(ids));
    }
}
