package eks_rocketmq;

import java.io.File;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.Set;
import org.apache.rocketmq.broker.BrokerController;
import org.apache.rocketmq.common.AbortProcessException;
import org.apache.rocketmq.remoting.RPCHook;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;
import org.apache.rocketmq.remoting.protocol.RequestCode;
import org.apache.rocketmq.remoting.protocol.ResponseCode;

/**
 * Refuses writes while the drain of this broker waits for its slaves, until the time of a file's last change. Until
 * then it also tells the controllers that this broker stops, so that they elect another one.
 *
 * <p>RocketMQ's own way is {@code brokerPermission}. It changes the routes of all topics, so a client that reads a route in
 * that second finds no queue to write to, and keeps this answer for 30 s.
 */
final class DrainFence implements RPCHook {
    private static final Set<Integer> WRITES = Collections.unmodifiableSet(new HashSet<>(Arrays.asList(
            RequestCode.SEND_MESSAGE,
            RequestCode.SEND_MESSAGE_V2,
            RequestCode.SEND_BATCH_MESSAGE,
            RequestCode.CONSUMER_SEND_MSG_BACK,
            RequestCode.RECALL_MESSAGE)));

    /** Field of a request that asks whether this broker can be elected. */
    static final String ELECTION = "eksRocketmqElection";

    private final File file;

    /** @param path file that the drain creates with the time until which writes are refused. */
    DrainFence(String path) {
        this.file = new File(path);
    }

    /** Registers it at the servers of a broker. */
    static void install(BrokerController controller, String path) {
        DrainFence fence = new DrainFence(path);
        controller.getRemotingServer().registerRPCHook(fence);
        controller.getFastRemotingServer().registerRPCHook(fence);
    }

    @Override
    public void doBeforeRequest(String client, RemotingCommand request) {
        boolean refused = WRITES.contains(request.getCode()) || isElection(request);
        // The time of a file that does not exist is 0.
        if (refused && file.lastModified() > System.currentTimeMillis()) {
            throw new AbortProcessException(
                    ResponseCode.SERVICE_NOT_AVAILABLE, "this broker stops, and another member takes its place");
        }
    }

    private static boolean isElection(RemotingCommand request) {
        return request.getExtFields() != null && request.getExtFields().containsKey(ELECTION);
    }

    @Override
    public void doAfterResponse(String client, RemotingCommand request, RemotingCommand response) {}
}
