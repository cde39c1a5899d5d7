package eks_rocketmq;

import java.util.concurrent.ExecutorService;
import org.apache.rocketmq.broker.BrokerController;
import org.apache.rocketmq.remoting.RemotingServer;
import org.apache.rocketmq.remoting.netty.NettyRequestProcessor;

/** Processors of a broker's requests. */
final class Processors {
    private Processors() {}

    /** Replaces the processor of requests, given by their codes, on both ports of a broker that is not started yet. */
    static void register(
            BrokerController controller, NettyRequestProcessor processor, ExecutorService executor, int... codes) {
        for (RemotingServer server : new RemotingServer[] {
            controller.getRemotingServer(), controller.getFastRemotingServer(),
        }) {
            for (int code : codes) {
                server.registerProcessor(code, processor, executor);
            }
        }
    }

    /** Returns the threads that store acknowledgements of gRPC consumers. They wait for the slaves. */
    static ExecutorService findAckExecutor(BrokerController controller) throws ReflectiveOperationException {
        return PrivateFields.read(BrokerController.class, "ackMessageExecutor", controller);
    }
}
