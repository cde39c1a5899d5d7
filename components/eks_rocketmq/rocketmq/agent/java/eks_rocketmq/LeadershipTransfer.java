package eks_rocketmq;

import io.openmessaging.storage.dledger.DLedgerServer;
import io.openmessaging.storage.dledger.MemberState;
import io.openmessaging.storage.dledger.protocol.DLedgerResponseCode;
import io.openmessaging.storage.dledger.protocol.LeadershipTransferRequest;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * Makes another controller the leader before this one stops.
 *
 * <p>RocketMQ's controllers only miss the heartbeats of a leader that has stopped, and elect the next one after 6 to
 * 17 s. No master can be elected in that time, and the drain of a master on the same node waits for it.
 */
final class LeadershipTransfer {
    private static final long ANSWER_MILLIS = 3000; // as DLedger's own requests

    private LeadershipTransfer() {}

    /** Returns when another controller leads, or none can. */
    static void run(DLedgerServer server) {
        MemberState member = server.getMemberState();
        List<String> others = member.getPeersLiveTable().entrySet().stream()
                .filter(peer -> peer.getValue() && !peer.getKey().equals(member.getSelfId()))
                .map(Map.Entry::getKey)
                .collect(Collectors.toList());
        for (String other : others) {
            if (!member.isLeader() || transfer(server, other)) {
                return;
            }
        }
    }

    private static boolean transfer(DLedgerServer server, String other) {
        MemberState member = server.getMemberState();
        LeadershipTransferRequest request = new LeadershipTransferRequest();
        request.setGroup(member.getGroup());
        request.setTerm(member.currTerm());
        request.setRemoteId(member.getSelfId());
        request.setTransferId(member.getSelfId());
        request.setTransfereeId(other);
        try {
            int code = server.handleLeadershipTransfer(request).get(ANSWER_MILLIS, TimeUnit.MILLISECONDS).getCode();
            return code == DLedgerResponseCode.SUCCESS.getCode();
        } catch (Exception error) {
            return false; // the others elect a leader as RocketMQ's do
        }
    }
}
