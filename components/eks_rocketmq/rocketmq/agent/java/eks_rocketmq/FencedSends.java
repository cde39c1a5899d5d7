package eks_rocketmq;

import io.netty.channel.ChannelHandlerContext;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.Set;
import java.util.function.IntSupplier;
import org.apache.rocketmq.broker.BrokerController;
import org.apache.rocketmq.broker.processor.SendMessageProcessor;
import org.apache.rocketmq.common.MixAll;
import org.apache.rocketmq.common.message.MessageAccessor;
import org.apache.rocketmq.common.message.MessageConst;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.remoting.exception.RemotingCommandException;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;
import org.apache.rocketmq.remoting.protocol.RequestCode;
import org.apache.rocketmq.remoting.protocol.ResponseCode;
import org.apache.rocketmq.store.PutMessageResult;
import org.apache.rocketmq.store.config.BrokerRole;
import org.apache.rocketmq.store.hook.PutMessageHook;

/**
 * Sends that are acknowledged only by a broker that was master from the arrival of the request to its response.
 *
 * <p>RocketMQ checks that it is master, and then asks again whether to wait for its slaves ({@code
 * CommitLog.needHandleHA}). A broker that became a slave in between appends the message and acknowledges
 * it without waiting. The new master does not have the message, and the old one truncates it. Clients send a message again
 * after the error that they get instead, and not after a timeout of the slaves.
 *
 * <p>A message that a consumer returns is acknowledged when every member in sync has its copy in the retry topic.
 * RocketMQ does not wait ({@code AbstractSendMessageProcessor.consumerSendMsgBack}), and the consumer forgets the
 * message. If the master died before it had sent the copy, or was cut off, no consumer got the message. A consumer
 * sends the copy itself after an error, and takes a timeout of the slaves for success ({@code
 * DefaultMQPushConsumerImpl.sendMessageBackAsNormalMessage}). So it gets an error instead, and keeps the message.
 */
final class FencedSends extends SendMessageProcessor implements PutMessageHook {
    private static final int[] SENDS = {
        RequestCode.SEND_MESSAGE, RequestCode.SEND_MESSAGE_V2, RequestCode.SEND_BATCH_MESSAGE,
    };

    /** Field of a request with the term in which it arrived. Nothing else reads it. */
    private static final String TERM = "eks-rocketmq-term";

    /** Field of a request that returns a message. Nothing else reads it. */
    private static final String RETURNED = "eks-rocketmq-returned";

    /** Codes with which a message is stored, but perhaps only here or not on the disk. */
    private static final Set<Integer> TIMEOUTS = Collections.unmodifiableSet(new HashSet<>(Arrays.asList(
            ResponseCode.FLUSH_DISK_TIMEOUT, ResponseCode.FLUSH_SLAVE_TIMEOUT, ResponseCode.SLAVE_NOT_AVAILABLE)));

    private final BrokerController controller;
    private final IntSupplier term;

    /** The request that this thread processes. */
    private final ThreadLocal<RemotingCommand> current = new ThreadLocal<>();

    /** @param term number of the changes of role so far. */
    FencedSends(BrokerController controller, IntSupplier term) {
        super(controller);
        this.controller = controller;
        this.term = term;
    }

    /** Replaces the processor of a broker that is not started yet. */
    static void install(BrokerController controller, IntSupplier term) throws ReflectiveOperationException {
        FencedSends sends = new FencedSends(controller, term);
        sends.registerSendMessageHook(PrivateFields.read(BrokerController.class, "sendMessageHookList", controller));
        sends.registerConsumeMessageHook(
                PrivateFields.read(BrokerController.class, "consumeMessageHookList", controller));
        // Before the hook of delayed messages, which writes the properties of a message into its text form.
        controller.getMessageStore().getPutMessageHookList().add(0, sends);
        Processors.register(controller, sends, controller.getSendMessageExecutor(), SENDS);
        // A returned message blocks its thread until the slaves have it. Sends have four threads or fewer, which do not
        // wait for the slaves.
        Processors.register(
                controller, sends, Processors.findAckExecutor(controller), RequestCode.CONSUMER_SEND_MSG_BACK);
    }

    @Override
    public RemotingCommand processRequest(ChannelHandlerContext context, RemotingCommand request)
            throws RemotingCommandException {
        request.addExtField(TERM, String.valueOf(term.getAsInt()));
        current.set(request);
        try {
            RemotingCommand response = super.processRequest(context, request);
            return response == null ? null : refuse(request, response);
        } finally {
            current.remove();
        }
    }

    @Override
    public String hookName() {
        return "eks-rocketmq-returned";
    }

    /** Called with each message of the broker before it is stored. Makes a returned one wait for the slaves. */
    @Override
    public PutMessageResult executeBeforePutMessage(MessageExt message) {
        RemotingCommand request = current.get();
        if (request != null
                && (message.getTopic().startsWith(MixAll.RETRY_GROUP_TOPIC_PREFIX)
                        || message.getTopic().startsWith(MixAll.DLQ_GROUP_TOPIC_PREFIX))) {
            request.addExtField(RETURNED, "true");
            MessageAccessor.clearProperty(message, MessageConst.PROPERTY_WAIT_STORE_MSG_OK);
        }
        return null; // go on
    }

    /** Called with the response to a send, by the thread that completes it. */
    @Override
    protected void doResponse(ChannelHandlerContext context, RemotingCommand request, RemotingCommand response) {
        super.doResponse(context, request, refuse(request, response));
    }

    private RemotingCommand refuse(RemotingCommand request, RemotingCommand response) {
        boolean master = controller.getMessageStoreConfig().getBrokerRole() != BrokerRole.SLAVE;
        boolean sameTerm = String.valueOf(term.getAsInt()).equals(request.getExtFields().get(TERM));
        boolean stored = response.getCode() == ResponseCode.SUCCESS || TIMEOUTS.contains(response.getCode());
        if (stored && !(master && sameTerm)) {
            response.setCode(ResponseCode.SERVICE_NOT_AVAILABLE);
            response.setRemark("this broker stopped being master while it stored the message");
        }
        if (TIMEOUTS.contains(response.getCode()) && request.getExtFields().containsKey(RETURNED)) {
            response.setCode(ResponseCode.SERVICE_NOT_AVAILABLE);
            response.setRemark("the members in sync did not confirm the returned message in time");
        }
        return response;
    }
}
