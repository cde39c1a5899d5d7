package eks_rocketmq;

import io.openmessaging.storage.dledger.DLedgerRpcNettyService;
import io.openmessaging.storage.dledger.DLedgerServer;
import io.openmessaging.storage.dledger.MemberState;
import java.util.Map;
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
final class PeerConnections implements Runnable {
    private static final long PERIOD_MILLIS = 5000;
    private static final long ANSWER_MILLIS = 3000; // as DLedger's own requests

    private final MemberState member;
    private final RemotingClient client;

    PeerConnections(MemberState member, RemotingClient client) {
        this.member = member;
        this.client = client;
    }

    /** Starts it for a controller, which may not be started yet. */
    static void start(DLedgerServer server) {
        RemotingClient client = ((DLedgerRpcNettyService) server.getDLedgerRpcService()).getRemotingClient();
        Thread thread = new Thread(new PeerConnections(server.getMemberState(), client), "EksRocketmqPeers");
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public void run() {
        try {
            while (true) {
                Thread.sleep(PERIOD_MILLIS);
                for (Map.Entry<String, String> peer : member.getPeerMap().entrySet()) {
                    if (!peer.getKey().equals(member.getSelfId())) {
                        ask(peer.getValue());
                    }
                }
            }
        } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
        }
    }

    private void ask(String address) throws InterruptedException {
        RemotingCommand request = RemotingCommand.createRequestCommand(RequestCode.CONTROLLER_GET_METADATA_INFO, null);
        try {
            client.invokeSync(address, request, ANSWER_MILLIS);
        } catch (InterruptedException error) {
            throw error;
        } catch (Exception error) {
            // The client has closed the connection, and opens another one with the next request.
        }
    }
}
