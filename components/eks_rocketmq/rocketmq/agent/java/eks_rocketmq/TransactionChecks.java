package eks_rocketmq;

import java.util.Set;
import org.apache.rocketmq.broker.BrokerController;
import org.apache.rocketmq.broker.transaction.TransactionalMessageService;
import org.apache.rocketmq.broker.transaction.queue.TransactionalMessageBridge;
import org.apache.rocketmq.broker.transaction.queue.TransactionalMessageServiceImpl;
import org.apache.rocketmq.broker.transaction.queue.TransactionalMessageUtil;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.consumer.PullStatus;
import org.apache.rocketmq.common.message.MessageExtBrokerInner;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.store.MessageStore;
import org.apache.rocketmq.store.PutMessageResult;
import org.apache.rocketmq.store.PutMessageStatus;

/**
 * Checks of pending transactions that end when a message cannot be stored.
 *
 * <p>A check stores each pending message again. RocketMQ repeats an attempt that fails, without a pause and for up to
 * 60 s ({@code TransactionalMessageServiceImpl.check}). It also begins a check when it stops the thread of the checks,
 * which it does when a master becomes a slave, and waits for it with the lock of the role. So the broker followed no
 * master for 60 s, and used a whole processor. Here a check ends at the first failure. The next one continues with the
 * same message.
 */
final class TransactionChecks extends TransactionalMessageBridge {
    private volatile boolean failed;

    TransactionChecks(BrokerController controller, MessageStore store) {
        super(controller, store);
    }

    /** Replaces the storage of transactions of a broker that is not started yet. */
    static void install(BrokerController controller) throws ReflectiveOperationException {
        TransactionalMessageService service = controller.getTransactionalMessageService();
        if (service instanceof TransactionalMessageServiceImpl) { // a plugin may replace it
            TransactionChecks checks = new TransactionChecks(controller, controller.getMessageStore());
            PrivateFields.write(
                    TransactionalMessageServiceImpl.class, "transactionalMessageBridge", service, checks);
        }
    }

    /** Called at the start of a check. */
    @Override
    public Set<MessageQueue> fetchMessageQueues(String topic) {
        failed = false;
        return super.fetchMessageQueues(topic);
    }

    /** Returns the next pending message, and none after a failure, which ends the check in order. */
    @Override
    public PullResult getHalfMessage(int queue, long offset, int count) {
        return failed
                ? new PullResult(PullStatus.NO_NEW_MSG, offset, offset, offset, null)
                : super.getHalfMessage(queue, offset, count);
    }

    @Override
    public PutMessageResult putMessageReturnResult(MessageExtBrokerInner message) {
        PutMessageResult result = super.putMessageReturnResult(message);
        note(message, result != null && result.getPutMessageStatus() == PutMessageStatus.PUT_OK);
        return result;
    }

    @Override
    public boolean putMessage(MessageExtBrokerInner message) {
        boolean stored = super.putMessage(message);
        note(message, stored);
        return stored;
    }

    private void note(MessageExtBrokerInner message, boolean stored) {
        if (!stored && TransactionalMessageUtil.buildHalfTopic().equals(message.getTopic())) {
            failed = true;
        }
    }
}
