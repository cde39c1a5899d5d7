package eks_rocketmq;

import java.util.Arrays;
import java.util.HashSet;
import java.util.concurrent.ExecutorService;
import org.apache.rocketmq.broker.BrokerController;
import org.apache.rocketmq.common.MixAll;
import org.apache.rocketmq.common.Pair;
import org.apache.rocketmq.common.message.MessageConst;
import org.apache.rocketmq.common.message.MessageDecoder;
import org.apache.rocketmq.common.message.MessageExtBrokerInner;
import org.apache.rocketmq.remoting.netty.NettyRequestProcessor;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;
import org.apache.rocketmq.remoting.protocol.RequestCode;
import org.apache.rocketmq.remoting.protocol.header.ConsumerSendMsgBackRequestHeader;
import org.apache.rocketmq.store.DefaultMessageStore;
import org.apache.rocketmq.store.ha.autoswitch.AutoSwitchHAConnection;
import org.apache.rocketmq.store.ha.autoswitch.AutoSwitchHAService;

/**
 * Returns a message to a master whose slave in sync has nothing of it, to one that is alone in sync, and to one whose
 * slave has everything.
 *
 * <p>Argument: {@code broker.conf}. Prints {@code NAME CODE} for RocketMQ's own processor and for that of the agent: of
 * a message that gets into the retry topic, of one that gets into the dead-letter topic, of one that the consumer sends
 * to the retry topic itself, of such a one that was returned before, and of one that a producer sends to another topic.
 * Then {@code NAME-thread PREFIX} of the threads that store returned messages.
 */
public final class ReturnedMessage {
    private static final String GROUP = "consumers";
    private static final String TOPIC = "orders";
    private static final long MASTER = 1;
    private static final long SLAVE = 2;

    private ReturnedMessage() {}

    public static void main(String[] arguments) {
        TestProgram.run(() -> {
            BrokerController controller = TestProgram.createBroker(arguments[0]);
            controller.getBrokerConfig().setBrokerId(MixAll.MASTER_ID);
            DefaultMessageStore store = (DefaultMessageStore) controller.getMessageStore();
            store.start();
            store.getRunningFlags().makeFenced(false);
            MessageExtBrokerInner message = TestMessage.create(TOPIC);
            message.setWaitStoreMsgOK(false);
            long offset = store.putMessage(message).getAppendMessageResult().getWroteOffset();
            report("rocketmq", controller, offset);
            FencedSends.install(controller, () -> 0);
            report("agent", controller, offset);
        });
    }

    private static void report(String name, BrokerController controller, long offset) throws Exception {
        AutoSwitchHAService service =
                (AutoSwitchHAService) controller.getMessageStore().getHaService();
        service.setLocalBrokerId(MASTER);
        TestProgram.withConnection(channel -> {
            AutoSwitchHAConnection slave = TestProgram.connect(service, channel, SLAVE);
            service.setSyncStateSet(new HashSet<>(Arrays.asList(MASTER, SLAVE)));
            reportAll(name, controller, offset);
            service.setSyncStateSet(new HashSet<>(Arrays.asList(MASTER)));
            reportAll(name + "-alone", controller, offset);
            service.setSyncStateSet(new HashSet<>(Arrays.asList(MASTER, SLAVE)));
            TestProgram.acknowledge(slave, Long.MAX_VALUE);
            reportAll(name + "-replicated", controller, offset);
        });
        Pair<NettyRequestProcessor, ExecutorService> pair = controller
                .getRemotingServer()
                .getProcessorPair(RequestCode.CONSUMER_SEND_MSG_BACK);
        String thread = pair.getObject2().submit(() -> Thread.currentThread().getName()).get();
        System.out.println(name + "-thread " + thread.split("_")[0]);
    }

    private static void reportAll(String name, BrokerController controller, long offset) throws Exception {
        String retryTopic = MixAll.getRetryTopic(GROUP);
        report(name + "-retry", controller, createReturn(offset, 3));
        report(name + "-dead-letter", controller, createReturn(offset, -1));
        report(name + "-sent", controller, TestRequest.createSend(retryTopic, ""));
        String returned = MessageConst.PROPERTY_WAIT_STORE_MSG_OK + MessageDecoder.NAME_VALUE_SEPARATOR + "false";
        report(name + "-sent-again", controller, TestRequest.createSend(retryTopic, returned));
        report(name + "-other", controller, TestRequest.createSend(TOPIC, ""));
    }

    private static void report(String name, BrokerController controller, RemotingCommand request) throws Exception {
        NettyRequestProcessor processor =
                controller.getRemotingServer().getProcessorPair(request.getCode()).getObject1();
        RemotingCommand response = TestRequest.process(processor, request);
        System.out.println(name + " " + response.getCode() + " " + response.getRemark());
    }

    /** Returns the request of a consumer that failed to process a message. */
    private static RemotingCommand createReturn(long offset, int delayLevel) {
        ConsumerSendMsgBackRequestHeader header = new ConsumerSendMsgBackRequestHeader();
        header.setOffset(offset);
        header.setGroup(GROUP);
        header.setOriginTopic(TOPIC);
        header.setDelayLevel(delayLevel);
        RemotingCommand request = RemotingCommand.createRequestCommand(RequestCode.CONSUMER_SEND_MSG_BACK, header);
        request.makeCustomHeaderToNet();
        return request;
    }
}
