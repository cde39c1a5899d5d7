package eks_rocketmq;

import org.apache.rocketmq.remoting.RemotingClient;
import org.apache.rocketmq.remoting.netty.NettyClientConfig;
import org.apache.rocketmq.remoting.netty.NettyRemotingClient;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;

/** Sends requests with a time limit. An error response is an answer too. */
final class Requests {
    private final RemotingClient client;
    private final long answerMillis;

    Requests(RemotingClient client, long answerMillis) {
        this.client = client;
        this.answerMillis = answerMillis;
    }

    /** Returns requests over a client of their own, with TLS if the role uses TLS. */
    static Requests create(int connectMillis, long answerMillis) {
        NettyClientConfig config = new NettyClientConfig();
        config.setUseTLS(System.getenv("TLS") != null);
        config.setConnectTimeoutMillis(connectMillis);
        config.setClientWorkerThreads(1);
        config.setClientCallbackExecutorThreads(1);
        config.setClientChannelMaxIdleTimeSeconds(600); // the connection serves the next requests too
        RemotingClient client = new NettyRemotingClient(config);
        client.start();
        return new Requests(client, answerMillis);
    }

    /** Returns the response to a request, or null if none arrives in time. */
    RemotingCommand send(String address, RemotingCommand request) {
        try {
            return client.invokeSync(address, request, answerMillis);
        } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
            return null;
        } catch (Exception error) {
            return null; // the classes of the exceptions differ between versions
        }
    }
}
