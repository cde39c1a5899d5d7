package eks_rocketmq;

import io.netty.channel.ChannelHandlerContext;
import java.util.function.IntSupplier;
import org.apache.rocketmq.broker.BrokerController;
import org.apache.rocketmq.broker.processor.SendMessageProcessor;
import org.apache.rocketmq.remoting.RemotingServer;
import org.apache.rocketmq.remoting.exception.RemotingCommandException;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;
import org.apache.rocketmq.remoting.protocol.RequestCode;
import org.apache.rocketmq.remoting.protocol.ResponseCode;
import org.apache.rocketmq.store.config.BrokerRole;

/**
 * Sends that are acknowledged only by a broker that was master from the arrival of the request to its response.
 *
 * <p>RocketMQ checks that it is master, and then asks again whether to wait for its slaves ({@code
 * CommitLog.needHandleHA}). A broker that became a slave in between appends the message, waits for nobody and
 * acknowledges. The new master does not have the message, and the old one truncates it.
 */
final class FencedSends extends SendMessageProcessor {
    private static final int[] CODES = {
        RequestCode.SEND_MESSAGE,
        RequestCode.SEND_MESSAGE_V2,
        RequestCode.SEND_BATCH_MESSAGE,
        RequestCode.CONSUMER_SEND_MSG_BACK,
    };

    /** Field of a request with the term in which it arrived. Nothing else reads it. */
    private static final String TERM = "eks-rocketmq-term";

    private final BrokerController controller;
    private final IntSupplier term;

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
        for (RemotingServer server : new RemotingServer[] {
            controller.getRemotingServer(), controller.getFastRemotingServer(),
        }) {
            for (int code : CODES) {
                server.registerProcessor(code, sends, controller.getSendMessageExecutor());
            }
        }
    }

    @Override
    public RemotingCommand processRequest(ChannelHandlerContext context, RemotingCommand request)
            throws RemotingCommandException {
        request.addExtField(TERM, String.valueOf(term.getAsInt()));
        RemotingCommand response = super.processRequest(context, request);
        return response == null ? null : refuseAfterDemotion(request, response);
    }

    /** Called with the response to a send, by the thread that completes it. */
    @Override
    protected void doResponse(ChannelHandlerContext context, RemotingCommand request, RemotingCommand response) {
        super.doResponse(context, request, refuseAfterDemotion(request, response));
    }

    private RemotingCommand refuseAfterDemotion(RemotingCommand request, RemotingCommand response) {
        boolean master = controller.getMessageStoreConfig().getBrokerRole() != BrokerRole.SLAVE;
        boolean sameTerm = String.valueOf(term.getAsInt()).equals(request.getExtFields().get(TERM));
        if (response.getCode() == ResponseCode.SUCCESS && !(master && sameTerm)) {
            response.setCode(ResponseCode.SERVICE_NOT_AVAILABLE);
            response.setRemark("this broker stopped being master while it stored the message");
        }
        return response;
    }
}
