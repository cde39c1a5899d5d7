package eks_rocketmq;

import java.io.File;
import org.apache.rocketmq.remoting.netty.NettyClientConfig;
import org.apache.rocketmq.remoting.netty.NettyRemotingClient;
import org.apache.rocketmq.remoting.netty.NettyRemotingServer;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;
import org.apache.rocketmq.remoting.protocol.RequestCode;
import org.apache.rocketmq.remoting.protocol.ResponseCode;

/**
 * Sends requests to a server with the fence of the drain, which otherwise answers each with success.
 *
 * <p>Argument: {@code broker.conf}; the fence is a file beside it. Prints {@code NAME CODE} for each request.
 */
public final class FencedDrain {
    private static final int[] CODES = {
        RequestCode.SEND_MESSAGE,
        RequestCode.CONSUMER_SEND_MSG_BACK,
        RequestCode.SEND_MESSAGE_V2,
        RequestCode.SEND_BATCH_MESSAGE,
        RequestCode.RECALL_MESSAGE,
        RequestCode.HEART_BEAT,
    };

    private FencedDrain() {}

    public static void main(String[] arguments) throws Exception {
        File file = new File(new File(arguments[0]).getParentFile(), "fence");
        NettyRemotingServer server = AnsweringServer.create(ResponseCode.SUCCESS);
        server.registerRPCHook(new DrainFence(file.getPath()));
        server.start();
        NettyRemotingClient client = new NettyRemotingClient(new NettyClientConfig());
        client.start();
        String address = "127.0.0.1:" + server.localListenPort();
        report("no-file", client, address, RequestCode.SEND_MESSAGE_V2);
        file.createNewFile();
        file.setLastModified(System.currentTimeMillis() + 60_000);
        for (int code : CODES) {
            report("fenced-" + code, client, address, code);
        }
        report("fenced-status", client, address, RequestCode.GET_BROKER_HA_STATUS);
        RemotingCommand election = RemotingCommand.createRequestCommand(RequestCode.GET_BROKER_HA_STATUS, null);
        election.addExtField(DrainFence.ELECTION, "true");
        report("fenced-election", client.invokeSync(address, election, 10_000));
        file.setLastModified(System.currentTimeMillis() - 1_000);
        report("over", client, address, RequestCode.SEND_MESSAGE_V2);
        Runtime.getRuntime().halt(0);
    }

    private static void report(String name, NettyRemotingClient client, String address, int code) throws Exception {
        RemotingCommand request = RemotingCommand.createRequestCommand(code, null);
        report(name, client.invokeSync(address, request, 10_000));
    }

    private static void report(String name, RemotingCommand response) {
        System.out.println(name + " " + response.getCode() + " " + response.getRemark());
    }
}
