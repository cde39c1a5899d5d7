package eks_rocketmq;

import io.openmessaging.storage.dledger.DLedgerRpcNettyService;
import io.openmessaging.storage.dledger.DLedgerServer;
import io.openmessaging.storage.dledger.MemberState;
import java.util.ArrayList;
import java.util.List;
import org.apache.rocketmq.remoting.RemotingClient;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;
import org.apache.rocketmq.remoting.protocol.RequestCode;

/**
 * Ends the connections of a controller to others that do not answer.
 *
 * <p>DLedger never closes a connection whose requests time out. When a node is lost and comes back, TCP still repeats
 * what was sent to the former pod, with pauses of up to 2 minutes. Until it gives up, the controller on that node has
 * no leader and gives no vote: the loss of another controller would leave none. RocketMQ's client closes a connection
 * when a synchronous request times out, so this class sends one from time to time.
 */
final class PeerConnections {
    private static final long PAUSE_MILLIS = 5000;
    private static final long ANSWER_MILLIS = 3000; // as DLedger's own requests

    private final MemberState member;
    private final Requests requests;

    PeerConnections(MemberState member, RemotingClient client) {
        this.member = member;
        this.requests = new Requests(client, ANSWER_MILLIS);
    }

    /** Returns the connections of a controller, over the client of its DLedger. */
    static PeerConnections of(DLedgerServer server) {
        RemotingClient client = ((DLedgerRpcNettyService) server.getDLedgerRpcService()).getRemotingClient();
        return new PeerConnections(server.getMemberState(), client);
    }

    /** Begins to ask the others. */
    void start() {
        Daemon.repeat("EksRocketmqPeers", PAUSE_MILLIS, this::ask);
    }

    /**
     * Returns the IDs of the other controllers that answer.
     *
     * <p>The client closes a connection without an answer, and opens another one with the next request.
     */
    List<String> ask() {
        List<String> answering = new ArrayList<>();
        member.getPeerMap().forEach((id, address) -> {
            if (!id.equals(member.getSelfId())) {
                int code = RequestCode.CONTROLLER_GET_METADATA_INFO;
                if (requests.send(address, RemotingCommand.createRequestCommand(code, null)) != null) {
                    answering.add(id);
                }
            }
        });
        return answering;
    }
}
