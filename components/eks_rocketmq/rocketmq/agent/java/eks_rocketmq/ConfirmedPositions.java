package eks_rocketmq;

import io.netty.channel.ChannelHandlerContext;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntSupplier;
import org.apache.rocketmq.broker.BrokerController;
import org.apache.rocketmq.remoting.netty.NettyRequestProcessor;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;
import org.apache.rocketmq.remoting.protocol.RequestCode;
import org.apache.rocketmq.remoting.protocol.ResponseCode;
import org.apache.rocketmq.store.config.BrokerRole;

/**
 * Positions of delayed messages and of consumers that a master gives to its slaves. Every member in sync has the messages
 * that were delivered before these positions.
 *
 * <p>RocketMQ delivers a delayed message, and stores a pending transaction again, without waiting for its slaves ({@code
 * setWaitStoreMsgOK(false)}). A slave that lagged copied the master's position, and not the message before it. If it was
 * elected then, nothing delivered the message again.
 */
final class ConfirmedPositions implements NettyRequestProcessor {
    private static final long PAUSE_NANOS = 1_000_000L;

    /** How long to wait for the slaves before the former positions are given. */
    private static final long LAG_NANOS = 50_000_000L;

    /** How long to wait if this master has given none yet. A slave waits for 3 s. */
    private static final long FIRST_NANOS = 2_000_000_000L;

    private final BrokerController controller;
    private final NettyRequestProcessor processor;
    private final IntSupplier term;

    /** Last confirmed positions by the code of their request. */
    private final Map<Integer, Positions> confirmed = new ConcurrentHashMap<>();

    /**
     * @param processor RocketMQ's own
     * @param term number of the changes of role so far
     */
    ConfirmedPositions(BrokerController controller, NettyRequestProcessor processor, IntSupplier term) {
        this.controller = controller;
        this.processor = processor;
        this.term = term;
    }

    /** Replaces the processor of a broker that is not started yet. */
    static void install(BrokerController controller, IntSupplier term) {
        NettyRequestProcessor own =
                controller.getRemotingServer().getDefaultProcessorPair().getObject1();
        Processors.register(
                controller,
                new ConfirmedPositions(controller, own, term),
                controller.getRemotingServer().getDefaultProcessorPair().getObject2(),
                RequestCode.GET_ALL_CONSUMER_OFFSET,
                RequestCode.GET_ALL_DELAY_OFFSET,
                RequestCode.GET_TIMER_CHECK_POINT);
    }

    @Override
    public RemotingCommand processRequest(ChannelHandlerContext context, RemotingCommand request) throws Exception {
        int begun = term.getAsInt();
        RemotingCommand response = processor.processRequest(context, request);
        if (response == null
                || response.getCode() != ResponseCode.SUCCESS
                || controller.getMessageStoreConfig().getBrokerRole() == BrokerRole.SLAVE) {
            return response;
        }
        // Read after the positions: what was delivered before them ends here at the latest.
        long end = controller.getMessageStore().getMaxPhyOffset();
        Positions former = confirmed.get(request.getCode());
        boolean known = former != null && former.term == begun;
        if (isConfirmed(end, known ? LAG_NANOS : FIRST_NANOS)) {
            confirmed.put(request.getCode(), new Positions(begun, response.getBody()));
        } else if (known) {
            response.setBody(former.body);
        } else {
            response.setCode(ResponseCode.SYSTEM_BUSY);
            response.setRemark("the members in sync do not have all messages before these positions yet");
            response.setBody(null);
        }
        return response;
    }

    private boolean isConfirmed(long end, long limitNanos) {
        long begin = System.nanoTime();
        while (controller.getMessageStore().getConfirmOffset() < end) {
            if (System.nanoTime() - begin > limitNanos) {
                return false;
            }
            LockSupport.parkNanos(PAUSE_NANOS);
        }
        return true;
    }

    @Override
    public boolean rejectRequest() {
        return processor.rejectRequest();
    }

    private static final class Positions {
        private final int term;
        private final byte[] body;

        Positions(int term, byte[] body) {
            this.term = term;
            this.body = body;
        }
    }
}
