package eks_rocketmq;

import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.rocketmq.broker.BrokerController;
import org.apache.rocketmq.broker.failover.EscapeBridge;
import org.apache.rocketmq.broker.processor.PopBufferMergeService;
import org.apache.rocketmq.common.MixAll;
import org.apache.rocketmq.common.message.MessageExtBrokerInner;
import org.apache.rocketmq.store.PutMessageResult;
import org.apache.rocketmq.store.PutMessageStatus;
import org.apache.rocketmq.store.config.BrokerRole;

/**
 * Stores a message for a consumer again until the group accepts it.
 *
 * <p>A message that a gRPC consumer has received and not acknowledged is stored in the retry topic of its group. If it
 * cannot be stored, RocketMQ stores its checkpoint again, and ignores that this fails too ({@code
 * PopReviveService.rePutCK}). While a group has fewer members in sync than {@code minInSyncReplicas}, both fail, and the
 * consumers never got the message.
 */
final class RepeatedRevives extends EscapeBridge {
    private static final long PAUSE_MILLIS = 500;
    private static final String REPEATER = PopBufferMergeService.class.getSimpleName();
    private static final Set<PutMessageStatus> REFUSALS = EnumSet.of(
            PutMessageStatus.IN_SYNC_REPLICAS_NOT_ENOUGH,
            PutMessageStatus.SERVICE_NOT_AVAILABLE,
            PutMessageStatus.OS_PAGE_CACHE_BUSY,
            PutMessageStatus.CREATE_MAPPED_FILE_FAILED);

    private final BrokerController controller;

    private RepeatedRevives(BrokerController controller) {
        super(controller);
        this.controller = controller;
    }

    /** Replaces the storage of messages for consumers, of a broker that is not started yet. */
    static void install(BrokerController controller) throws ReflectiveOperationException {
        PrivateFields.write(BrokerController.class, "escapeBridge", controller, new RepeatedRevives(controller));
    }

    /**
     * Called with a message by the thread of a revive queue, which has nothing else to do until the message is stored.
     *
     * <p>Also called with acknowledgements and checkpoints, for which clients wait, and again with the checkpoints that
     * were refused, by a thread that repeats them every 5 ms and logs each refusal.
     */
    @Override
    public PutMessageResult putMessageToSpecificQueue(MessageExtBrokerInner message) {
        PutMessageResult result = super.putMessageToSpecificQueue(message);
        if (message.getTopic().startsWith(MixAll.RETRY_GROUP_TOPIC_PREFIX)) {
            while (isRefused(result) && isMaster() && pause()) {
                result = super.putMessageToSpecificQueue(message);
            }
        } else if (isRefused(result) && isMaster() && Thread.currentThread().getName().equals(REPEATER)) {
            pause();
        }
        return result;
    }

    private static boolean isRefused(PutMessageResult result) {
        return REFUSALS.contains(result.getPutMessageStatus());
    }

    /** Waits. Returns false if the thread is to end. */
    private static boolean pause() {
        try {
            TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
            return true;
        } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /** Returns whether this broker revives messages. Another master begins with the same checkpoint. */
    private boolean isMaster() {
        try {
            boolean stops = PrivateFields.read(BrokerController.class, "shutdown", controller);
            return !stops && controller.getMessageStoreConfig().getBrokerRole() != BrokerRole.SLAVE;
        } catch (ReflectiveOperationException error) {
            throw new IllegalStateException("cannot read whether the broker stops", error);
        }
    }
}
