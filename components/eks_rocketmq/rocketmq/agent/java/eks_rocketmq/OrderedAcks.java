package eks_rocketmq;

import io.netty.channel.Channel;
import java.util.Collections;
import java.util.Map;
import org.apache.rocketmq.broker.BrokerController;
import org.apache.rocketmq.broker.processor.AckMessageProcessor;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;
import org.apache.rocketmq.remoting.protocol.RequestCode;

/**
 * Acknowledgements of a FIFO consumer group that commit no message that the group has not acknowledged.
 *
 * <p>The master that delivered messages of a queue in order knows which of them are acknowledged, and no slave copies
 * that ({@code ConsumerOrderInfoManager}). A new master of RocketMQ that has delivered nothing of the queue yet takes an
 * acknowledgement as one of all messages before it. If a consumer acknowledged 8 of the messages 5 to 8 first, and
 * failed to handle 5, it never got 5 again.
 *
 * <p>This master then accepts the acknowledgement, and commits something only if it is of the message at the committed
 * offset. The group gets the others again. RocketMQ also commits nothing for an acknowledgement of a former delivery.
 */
final class OrderedAcks extends AckMessageProcessor {
    private final BrokerController controller;

    /** Last deliveries of this broker by queue, by topic and group. */
    private final Map<String, Map<Integer, ?>> deliveries;

    private OrderedAcks(BrokerController controller) throws ReflectiveOperationException {
        super(controller);
        this.controller = controller;
        // Its class has another name in 5.3.3.
        Object manager = PrivateFields.read(BrokerController.class, "consumerOrderInfoManager", controller);
        this.deliveries = PrivateFields.read(manager.getClass(), "table", manager);
    }

    /**
     * Replaces the processor of a broker that is not started yet.
     *
     * <p>RocketMQ's own one stays in its field, with the threads that revive messages. Those of this one never start.
     */
    static void install(BrokerController controller) throws ReflectiveOperationException {
        OrderedAcks acks = new OrderedAcks(controller);
        Processors.register(
                controller,
                acks,
                Processors.findAckExecutor(controller),
                RequestCode.ACK_MESSAGE,
                RequestCode.BATCH_ACK_MESSAGE);
    }

    @Override
    protected void ackOrderly(
            String topic,
            String group,
            int queue,
            long offset,
            long popTime,
            long invisibleTime,
            Channel channel,
            RemotingCommand response) {
        if (!skipsMessages(topic, group, queue, offset)) {
            super.ackOrderly(topic, group, queue, offset, popTime, invisibleTime, channel, response);
        }
    }

    /** Called instead of {@code ackOrderly} with {@code popConsumerKVServiceEnable}. */
    @Override
    protected void ackOrderlyNew(
            String topic,
            String group,
            int queue,
            long offset,
            long popTime,
            long invisibleTime,
            Channel channel,
            RemotingCommand response) {
        if (!skipsMessages(topic, group, queue, offset)) {
            super.ackOrderlyNew(topic, group, queue, offset, popTime, invisibleTime, channel, response);
        }
    }

    /**
     * Returns whether RocketMQ would also commit earlier messages that may not be acknowledged.
     *
     * <p>Without a committed offset, a group begins at the newest message. RocketMQ's commit then skips fewer.
     */
    private boolean skipsMessages(String topic, String group, int queue, long offset) {
        if (deliveries.getOrDefault(topic + "@" + group, Collections.emptyMap()).containsKey(queue)) {
            return false;
        }
        long committed = controller.getConsumerOffsetManager().queryOffset(group, topic, queue);
        return committed >= 0 && committed < offset;
    }
}
