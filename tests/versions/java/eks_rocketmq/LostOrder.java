package eks_rocketmq;

import java.util.BitSet;
import java.util.List;
import java.util.Map;
import org.apache.rocketmq.broker.BrokerController;
import org.apache.rocketmq.common.KeyBuilder;
import org.apache.rocketmq.common.TopicConfig;
import org.apache.rocketmq.common.constant.ConsumeInitMode;
import org.apache.rocketmq.remoting.netty.NettyRequestProcessor;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;
import org.apache.rocketmq.remoting.protocol.RequestCode;
import org.apache.rocketmq.remoting.protocol.ResponseCode;
import org.apache.rocketmq.remoting.protocol.body.BatchAck;
import org.apache.rocketmq.remoting.protocol.body.BatchAckMessageRequestBody;
import org.apache.rocketmq.remoting.protocol.header.AckMessageRequestHeader;
import org.apache.rocketmq.remoting.protocol.header.ExtraInfoUtil;
import org.apache.rocketmq.remoting.protocol.header.PopMessageRequestHeader;
import org.apache.rocketmq.remoting.protocol.header.PopMessageResponseHeader;
import org.apache.rocketmq.store.DefaultMessageStore;

/**
 * Acknowledges messages of a FIFO consumer group to a broker that does not know what its predecessor has delivered.
 *
 * <p>Argument: {@code broker.conf}. Prints {@code NAME OFFSET}, the committed offset after that, for RocketMQ's own
 * processor and for that of the agent. The messages 5 to 8 were delivered. The broker is first the one that delivers
 * them, and then, without its knowledge of that, the next master.
 */
public final class LostOrder {
    private static final String TOPIC = "orders";
    private static final int FIRST = 5;
    private static final int LAST = 8;
    private static final long INVISIBLE_MILLIS = 60_000;

    private final BrokerController controller;
    private final String group;
    private final long popTime;

    /** Delivers the messages to a group. */
    private LostOrder(BrokerController controller, String group) throws Exception {
        this.controller = controller;
        this.group = group;
        controller.getConsumerOffsetManager().commitOffset("test", group, TOPIC, 0, FIRST);
        PopMessageRequestHeader header = new PopMessageRequestHeader();
        header.setConsumerGroup(group);
        header.setTopic(TOPIC);
        header.setQueueId(0);
        header.setMaxMsgNums(LAST - FIRST + 1);
        header.setInvisibleTime(INVISIBLE_MILLIS);
        header.setBornTime(System.currentTimeMillis());
        header.setPollTime(10_000);
        header.setInitMode(ConsumeInitMode.MAX);
        header.setOrder(true);
        RemotingCommand request = RemotingCommand.createRequestCommand(RequestCode.POP_MESSAGE, header);
        RemotingCommand response = process(controller, request);
        this.popTime = ((PopMessageResponseHeader) response.readCustomHeader()).getPopTime();
    }

    public static void main(String[] arguments) {
        TestProgram.run(() -> {
            BrokerController controller = TestProgram.createBroker(arguments[0]);
            DefaultMessageStore store = (DefaultMessageStore) controller.getMessageStore();
            controller.getTopicConfigManager().getTopicConfigTable().put(TOPIC, new TopicConfig(TOPIC, 1, 1));
            store.start();
            for (int i = 0; i <= LAST; i++) {
                store.putMessage(TestMessage.create(TOPIC));
            }
            TestProgram.awaitQueues(store);
            report("rocketmq", controller);
            OrderedAcks.install(controller);
            report("agent", controller);
        });
    }

    private static void report(String name, BrokerController controller) throws Exception {
        LostOrder known = new LostOrder(controller, name + "-known");
        known.acknowledge(LAST);
        known.print("");
        for (int offset = FIRST; offset < LAST; offset++) {
            known.acknowledge(offset);
        }
        known.print("-all");
        LostOrder last = new LostOrder(controller, name + "-last");
        last.forgetAll();
        last.acknowledge(LAST);
        last.print("");
        LostOrder queue = new LostOrder(controller, name + "-queue");
        queue.forget();
        queue.acknowledge(LAST);
        queue.print("");
        LostOrder first = new LostOrder(controller, name + "-first");
        first.forget();
        first.acknowledge(FIRST);
        first.print("");
        LostOrder batch = new LostOrder(controller, name + "-batch");
        batch.forget();
        batch.acknowledgeBatch(FIRST, FIRST + 1, LAST);
        batch.print("");
        LostOrder uncommitted = new LostOrder(controller, name + "-uncommitted");
        uncommitted.forget();
        controller.getConsumerOffsetManager().removeOffset(uncommitted.group);
        uncommitted.acknowledge(FIRST);
        uncommitted.print("");
    }

    /** Makes the broker one that has delivered nothing. */
    private void forgetAll() throws ReflectiveOperationException {
        Object manager = controller.getConsumerOrderInfoManager();
        PrivateFields.<Map<?, ?>>read(manager.getClass(), "table", manager).clear();
    }

    /** Makes the broker one that has delivered nothing of this queue. */
    private void forget() {
        controller.getConsumerOrderInfoManager().clearBlock(TOPIC, group, 0);
    }

    private void acknowledge(long offset) throws Exception {
        AckMessageRequestHeader header = new AckMessageRequestHeader();
        header.setConsumerGroup(group);
        header.setTopic(TOPIC);
        header.setQueueId(0);
        header.setOffset(offset);
        header.setExtraInfo(ExtraInfoUtil.buildExtraInfo(
                FIRST, popTime, INVISIBLE_MILLIS, KeyBuilder.POP_ORDER_REVIVE_QUEUE, TOPIC, "broker", 0, offset));
        process(controller, RemotingCommand.createRequestCommand(RequestCode.ACK_MESSAGE, header));
    }

    private void acknowledgeBatch(int... offsets) throws Exception {
        BatchAck batch = new BatchAck();
        batch.setConsumerGroup(group);
        batch.setTopic(TOPIC);
        batch.setRetry("0");
        batch.setQueueId(0);
        batch.setStartOffset(FIRST);
        batch.setReviveQueueId(KeyBuilder.POP_ORDER_REVIVE_QUEUE);
        batch.setPopTime(popTime);
        batch.setInvisibleTime(INVISIBLE_MILLIS);
        batch.setBitSet(new BitSet());
        for (int offset : offsets) {
            batch.getBitSet().set(offset - FIRST);
        }
        BatchAckMessageRequestBody body = new BatchAckMessageRequestBody();
        body.setAcks(List.of(batch));
        RemotingCommand request = RemotingCommand.createRequestCommand(RequestCode.BATCH_ACK_MESSAGE, null);
        request.setBody(body.encode());
        process(controller, request);
    }

    private void print(String suffix) {
        System.out.println(
                group + suffix + " " + controller.getConsumerOffsetManager().queryOffset(group, TOPIC, 0));
    }

    /** Returns the response of the processor that is registered for a request. */
    private static RemotingCommand process(BrokerController controller, RemotingCommand request) throws Exception {
        request.makeCustomHeaderToNet();
        NettyRequestProcessor processor = controller
                .getRemotingServer()
                .getProcessorPair(request.getCode())
                .getObject1();
        RemotingCommand response = TestRequest.process(processor, request);
        if (response.getCode() != ResponseCode.SUCCESS) {
            throw new IllegalStateException(response.toString());
        }
        return response;
    }
}
