package eks_rocketmq;

import io.openmessaging.storage.dledger.DLedgerConfig;
import io.openmessaging.storage.dledger.DLedgerEntryPusher;
import io.openmessaging.storage.dledger.DLedgerServer;
import io.openmessaging.storage.dledger.MemberState;
import io.openmessaging.storage.dledger.statemachine.StateMachineCaller;
import io.openmessaging.storage.dledger.store.DLedgerStore;
import java.lang.reflect.Field;
import java.util.Optional;
import org.apache.rocketmq.controller.Controller;
import org.apache.rocketmq.controller.impl.DLedgerController;

/**
 * Applies the log of a controller to its state: all of it, and each event once.
 *
 * <p>The state of RocketMQ's controllers is what the events of their DLedger log add up to. DLedger 0.3.2, in RocketMQ
 * 5.4.0 and 5.5.0, breaks that in two ways.
 *
 * <ul>
 *   <li>A follower applies up to the committed index of the leader, also while its own log is shorter. It fails at the
 *       end of its log, forgets what it has applied, and applies it again with the next event. Epochs are counted by
 *       events, so a controller that was down for 15 events comes back with up to 15 times the epoch.
 *   <li>After 1,000 events DLedger drops the beginning of the log, because the state machine says that it has saved a
 *       snapshot. It has not, and DLedger 0.3.2 does not send snapshots. A controller with an empty volume then gets no
 *       state at all.
 * </ul>
 */
final class ControllerLog extends StateMachineCaller {
    private static final long SILENT_NANOS = 15_000_000_000L; // a leader says once in a second what is committed

    private final DLedgerStore store;
    private final MemberState member;
    private volatile long committed = -1;
    private volatile long heard;

    private ControllerLog(DLedgerServer server, DLedgerEntryPusher pusher) {
        super(server.getDLedgerStore(), server.getStateMachine(), pusher);
        this.store = server.getDLedgerStore();
        this.member = server.getMemberState();
    }

    /** Replaces what applies the log of a controller that is not started yet. */
    static ControllerLog install(Controller controller) throws ReflectiveOperationException {
        DLedgerServer server = findServer(controller);
        DLedgerEntryPusher pusher = PrivateFields.read(DLedgerServer.class, "dLedgerEntryPusher", server);
        Optional<StateMachineCaller> replaced = PrivateFields.read(DLedgerServer.class, "fsmCaller", server);
        ControllerLog log = new ControllerLog(server, pusher);
        if (hasSnapshots()) {
            DLedgerConfig.class.getMethod("setSnapshotThreshold", int.class)
                    .invoke(server.getDLedgerConfig(), Integer.MAX_VALUE);
            Object snapshots = PrivateFields.read(StateMachineCaller.class, "snapshotManager", replaced.get());
            PrivateFields.write(StateMachineCaller.class, "snapshotManager", log, snapshots);
        } else {
            // DLedger 0.3.1.2, in RocketMQ 5.3.3, has started it already.
            replaced.get().shutdown();
            log.start();
        }
        PrivateFields.write(DLedgerServer.class, "fsmCaller", server, Optional.of(log));
        pusher.registerStateMachine(Optional.of(log));
        return log;
    }

    static DLedgerServer findServer(Controller controller) throws ReflectiveOperationException {
        return PrivateFields.read(DLedgerController.class, "dLedgerServer", controller);
    }

    private static boolean hasSnapshots() {
        for (Field field : StateMachineCaller.class.getDeclaredFields()) {
            if (field.getName().equals("snapshotManager")) {
                return true;
            }
        }
        return false;
    }

    /** Called with the index up to which the leader has committed. */
    @Override
    public boolean onCommitted(long index) {
        committed = Math.max(committed, index);
        heard = System.nanoTime();
        return super.onCommitted(Math.min(index, store.getLedgerEndIndex()));
    }

    /** Returns null if all events are applied that the leader has committed, or why they are not. */
    String checkApplied() {
        if (store.getLedgerBeginIndex() > 0) {
            return "the log begins with event " + store.getLedgerBeginIndex() + ", so the state is incomplete";
        }
        if (committed < 0 || System.nanoTime() - heard > SILENT_NANOS) {
            return "no leader has said which events are committed";
        }
        long applied = getLastAppliedIndex();
        return applied < committed ? "applied the events up to " + applied + " of " + committed : null;
    }

    /**
     * Whether the leader has committed events that this log does not have. An empty follower does not know that with
     * DLedger 0.3.1.2.
     */
    boolean lacksEvents() {
        return committed < 0 || store.getLedgerEndIndex() < committed;
    }

    /** Returns the address of the leader, or null if none is known. */
    String findLeader() {
        return member.getLeaderId() == null ? null : member.getLeaderAddr();
    }

    /** Returns the body of DLedger's request to the leader for an event without content, which changes no state. */
    String formatEmptyEvent() {
        return "{\"group\":\"" + member.getGroup() + "\",\"remoteId\":\"" + member.getLeaderId() + "\",\"body\":\"\"}";
    }
}
