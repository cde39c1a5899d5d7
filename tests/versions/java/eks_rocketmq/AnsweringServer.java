package eks_rocketmq;

import io.netty.channel.ChannelHandlerContext;
import java.util.List;
import java.util.concurrent.Executors;
import org.apache.rocketmq.remoting.netty.NettyRemotingServer;
import org.apache.rocketmq.remoting.netty.NettyRequestProcessor;
import org.apache.rocketmq.remoting.netty.NettyServerConfig;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;

/** Server on a free port of loopback that answers each request with the same code. */
final class AnsweringServer implements NettyRequestProcessor {
    private final int code;

    private AnsweringServer(int code) {
        this.code = code;
    }

    /** Returns a server that is not started. */
    static NettyRemotingServer create(int code) {
        return create(0, new AnsweringServer(code));
    }

    /** Returns a server of loopback that is not started. */
    static NettyRemotingServer create(int port, NettyRequestProcessor processor) {
        NettyServerConfig config = new NettyServerConfig();
        config.setBindAddress("127.0.0.1");
        config.setListenPort(port);
        NettyRemotingServer server = new NettyRemotingServer(config);
        server.registerDefaultProcessor(processor, Executors.newSingleThreadExecutor());
        return server;
    }

    /** Starts the servers of a master. Slaves send some requests to a port of their own. */
    static List<NettyRemotingServer> startMaster(int port, NettyRequestProcessor processor) {
        List<NettyRemotingServer> servers = List.of(create(port, processor), create(port - 2, processor));
        servers.forEach(NettyRemotingServer::start);
        return servers;
    }

    @Override
    public RemotingCommand processRequest(ChannelHandlerContext context, RemotingCommand request) {
        return RemotingCommand.createResponseCommand(code, null);
    }

    @Override
    public boolean rejectRequest() {
        return false;
    }
}
