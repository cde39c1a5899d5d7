package eks_rocketmq;

import java.util.concurrent.atomic.AtomicInteger;
import org.apache.rocketmq.broker.BrokerController;
import org.apache.rocketmq.broker.processor.RecallMessageProcessor;
import org.apache.rocketmq.broker.processor.SendMessageProcessor;
import org.apache.rocketmq.common.message.MessageClientIDSetter;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.producer.RecallMessageHandle;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;
import org.apache.rocketmq.remoting.protocol.RequestCode;
import org.apache.rocketmq.remoting.protocol.header.RecallMessageRequestHeader;
import org.apache.rocketmq.store.AppendMessageResult;
import org.apache.rocketmq.store.AppendMessageStatus;
import org.apache.rocketmq.store.DefaultMessageStore;
import org.apache.rocketmq.store.PutMessageResult;
import org.apache.rocketmq.store.PutMessageStatus;
import org.apache.rocketmq.store.config.BrokerRole;
import org.apache.rocketmq.store.config.MessageStoreConfig;
import org.apache.rocketmq.store.hook.PutMessageHook;

/**
 * Sends a message to a broker that becomes a slave after RocketMQ has checked that it is master.
 *
 * <p>Argument: {@code broker.conf}. Prints {@code NAME CODE} for RocketMQ's own processor, for that of the agent, and
 * for the agent's when the broker is master again at the end; for the first two also {@code NAME-timeout CODE}, when the
 * slaves do not confirm the message. {@code NAME-recall CODE} and {@code NAME-recall-timeout CODE} are those of a request
 * that recalls a delayed message, the latter of a broker that stays master. The broker opens no port.
 */
public final class DemotedSend {
    private DemotedSend() {}

    public static void main(String[] arguments) throws Exception {
        BrokerController controller = TestProgram.createBroker(arguments[0]);
        MessageStoreConfig config = controller.getMessageStoreConfig();
        openStore(controller);
        AtomicInteger term = new AtomicInteger();
        Demotion demotion = new Demotion(config, term);
        controller.getMessageStore().getPutMessageHookList().add(demotion);
        FencedSends fenced = new FencedSends(controller, term::get);
        report("rocketmq", send(controller.getSendMessageProcessor(), config));
        report("agent", send(fenced, config));
        RecallMessageProcessor own = controller.getRecallMessageProcessor();
        FencedRecalls fencedRecalls = new FencedRecalls(controller, term::get);
        report("rocketmq-recall", recall(own, controller));
        report("agent-recall", recall(fencedRecalls, controller));
        PutMessageResult timeout = new PutMessageResult(
                PutMessageStatus.FLUSH_SLAVE_TIMEOUT, new AppendMessageResult(AppendMessageStatus.PUT_OK));
        demotion.result = timeout;
        report("rocketmq-timeout", send(controller.getSendMessageProcessor(), config));
        report("agent-timeout", send(fenced, config));
        demotion.result = null;
        demotion.after = BrokerRole.SYNC_MASTER;
        report("agent-master-again", send(fenced, config));
        demotion.enabled = false;
        report("agent-master", send(fenced, config));
        report("agent-master-recall", recall(fencedRecalls, controller));
        demotion.result = timeout;
        report("rocketmq-recall-timeout", recall(own, controller));
        report("agent-recall-timeout", recall(fencedRecalls, controller));
        Runtime.getRuntime().halt(0);
    }

    /** Lets the store take messages. Its start would open the port of the replication. */
    private static void openStore(BrokerController controller) throws ReflectiveOperationException {
        DefaultMessageStore store = (DefaultMessageStore) controller.getMessageStore();
        PrivateFields.write(DefaultMessageStore.class, "shutdown", store, false);
        store.getAllocateMappedFileService().start();
    }

    private static void report(String name, RemotingCommand response) {
        System.out.println(name + " " + response.getCode() + " " + response.getRemark());
    }

    private static RemotingCommand send(SendMessageProcessor processor, MessageStoreConfig config) throws Exception {
        config.setBrokerRole(BrokerRole.SYNC_MASTER);
        return TestRequest.process(processor, TestRequest.createSend("TBW102", ""));
    }

    private static RemotingCommand recall(RecallMessageProcessor processor, BrokerController controller)
            throws Exception {
        controller.getMessageStoreConfig().setBrokerRole(BrokerRole.SYNC_MASTER);
        controller.getBrokerConfig().setRecallMessageEnable(true);
        String group = controller.getBrokerConfig().getBrokerName();
        String due = String.valueOf(System.currentTimeMillis() + 60_000);
        RecallMessageRequestHeader header = new RecallMessageRequestHeader();
        header.setTopic("TBW102");
        header.setProducerGroup("producer");
        header.setRecallHandle(RecallMessageHandle.HandleV1.buildHandle(
                "TBW102", group, due, MessageClientIDSetter.createUniqID()));
        RemotingCommand request = RemotingCommand.createRequestCommand(RequestCode.RECALL_MESSAGE, header);
        request.makeCustomHeaderToNet();
        return TestRequest.process(processor, request);
    }

    private static final class Demotion implements PutMessageHook {
        private final MessageStoreConfig config;
        private final AtomicInteger term;
        volatile boolean enabled = true;
        volatile BrokerRole after = BrokerRole.SLAVE;
        volatile PutMessageResult result;

        Demotion(MessageStoreConfig config, AtomicInteger term) {
            this.config = config;
            this.term = term;
        }

        @Override
        public String hookName() {
            return "demotion";
        }

        @Override
        public PutMessageResult executeBeforePutMessage(MessageExt message) {
            if (enabled) {
                config.setBrokerRole(after);
                term.incrementAndGet();
            }
            return result;
        }
    }
}
