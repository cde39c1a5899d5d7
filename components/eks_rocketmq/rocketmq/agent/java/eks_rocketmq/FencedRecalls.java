package eks_rocketmq;

import io.netty.channel.ChannelHandlerContext;
import java.util.function.IntSupplier;
import org.apache.rocketmq.broker.BrokerController;
import org.apache.rocketmq.broker.processor.RecallMessageProcessor;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.remoting.exception.RemotingCommandException;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;
import org.apache.rocketmq.remoting.protocol.RequestCode;
import org.apache.rocketmq.remoting.protocol.ResponseCode;
import org.apache.rocketmq.store.PutMessageResult;
import org.apache.rocketmq.store.PutMessageStatus;

/**
 * Recalls of delayed messages that succeed only when every member in sync has the record of the recall.
 *
 * <p>RocketMQ also reports success after a timeout of the slaves. A master that is elected then may lack the record, and
 * delivers the message.
 */
final class FencedRecalls extends RecallMessageProcessor {
    private final IntSupplier term;

    /** @param term number of the changes of role so far. */
    FencedRecalls(BrokerController controller, IntSupplier term) {
        super(controller);
        this.term = term;
    }

    /** Replaces the processor of a broker that is not started yet. */
    static void install(BrokerController controller, IntSupplier term) {
        Processors.register(
                controller,
                new FencedRecalls(controller, term),
                controller.getSendMessageExecutor(),
                RequestCode.RECALL_MESSAGE);
    }

    @Override
    public RemotingCommand processRequest(ChannelHandlerContext context, RemotingCommand request)
            throws RemotingCommandException {
        int begin = term.getAsInt();
        RemotingCommand response = super.processRequest(context, request);
        if (response.getCode() == ResponseCode.SUCCESS && term.getAsInt() != begin) {
            refuse(response, "the role of this broker changed while it stored the recall");
        }
        return response;
    }

    /** Called with the result of storing the record. */
    @Override
    public void handlePutMessageResult(
            PutMessageResult result,
            RemotingCommand request,
            RemotingCommand response,
            MessageExt message,
            ChannelHandlerContext context,
            long begin) {
        super.handlePutMessageResult(result, request, response, message, context, begin);
        if (response.getCode() == ResponseCode.SUCCESS && result.getPutMessageStatus() != PutMessageStatus.PUT_OK) {
            refuse(response, "the recall is stored, but not confirmed by the disk and the members in sync in time");
        }
    }

    private static void refuse(RemotingCommand response, String reason) {
        response.setCode(ResponseCode.SERVICE_NOT_AVAILABLE);
        response.setRemark(reason);
    }
}
