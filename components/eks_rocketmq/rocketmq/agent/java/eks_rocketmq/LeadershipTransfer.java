package eks_rocketmq;

import io.openmessaging.storage.dledger.DLedgerEntryPusher;
import io.openmessaging.storage.dledger.DLedgerServer;
import io.openmessaging.storage.dledger.MemberState;
import io.openmessaging.storage.dledger.protocol.DLedgerResponseCode;
import io.openmessaging.storage.dledger.protocol.LeadershipTransferRequest;
import java.util.Comparator;
import java.util.concurrent.TimeUnit;

/**
 * Makes another controller the leader before this one stops.
 *
 * <p>RocketMQ's controllers only miss the heartbeats of a leader that has stopped, and elect the next one up to 17 s
 * later. No master can be elected in that time, and the drain of a master on the same node waits for it.
 */
final class LeadershipTransfer {
    private static final long ANSWER_MILLIS = 3000; // as DLedger's own requests

    private LeadershipTransfer() {}

    /**
     * Returns when another controller leads, or none can. A leader refuses events while it waits for the answer, so one
     * that is stopped already is not tried, and the one that has most of the log is tried first.
     */
    static void run(DLedgerServer server) {
        MemberState member = server.getMemberState();
        if (member.isLeader()) {
            DLedgerEntryPusher log = findLog(server);
            PeerConnections.of(server).ask().stream()
                    .sorted(Comparator.comparing((String other) -> -log.getPeerWaterMark(member.currTerm(), other)))
                    .anyMatch(other -> transfer(server, other));
        }
    }

    private static DLedgerEntryPusher findLog(DLedgerServer server) {
        try {
            return PrivateFields.read(DLedgerServer.class, "dLedgerEntryPusher", server);
        } catch (ReflectiveOperationException error) {
            throw new IllegalStateException("cannot read which part of the log the other controllers have", error);
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
