package eks_rocketmq;

import io.netty.channel.ChannelHandlerContext;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.locks.LockSupport;
import org.apache.rocketmq.broker.BrokerController;
import org.apache.rocketmq.common.Pair;
import org.apache.rocketmq.remoting.netty.NettyRequestProcessor;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;
import org.apache.rocketmq.remoting.protocol.RequestCode;
import org.apache.rocketmq.remoting.protocol.ResponseCode;
import org.apache.rocketmq.store.config.BrokerRole;
import org.apache.rocketmq.store.ha.autoswitch.AutoSwitchHAService;

/**
 * Positions of delayed messages and of consumers that a master gives to its slaves only when every member in sync has the
 * messages that were delivered before them.
 *
 * <p>RocketMQ delivers a delayed message, and stores a pending transaction again, without waiting for its slaves ({@code
 * setWaitStoreMsgOK(false)}). A slave that lagged copied the master's position, and not the message before it. If it was
 * elected then, nothing delivered the message again.
 */
final class ConfirmedPositions implements NettyRequestProcessor {
    private static final long PAUSE_NANOS = 10_000_000L;

    /** How long to wait for the slaves in sync. A slave that asks waits for 3 s, and asks again after 10 s. */
    private static final long LIMIT_NANOS = 1_000_000_000L;

    private final BrokerController controller;
    private final NettyRequestProcessor processor;

    private ConfirmedPositions(BrokerController controller, NettyRequestProcessor processor) {
        this.controller = controller;
        this.processor = processor;
    }

    /** Replaces the processor of a broker that is not started yet. */
    static void install(BrokerController controller) {
        Pair<NettyRequestProcessor, ExecutorService> own =
                controller.getRemotingServer().getDefaultProcessorPair();
        Processors.register(
                controller,
                new ConfirmedPositions(controller, own.getObject1()),
                own.getObject2(),
                RequestCode.GET_ALL_CONSUMER_OFFSET,
                RequestCode.GET_ALL_DELAY_OFFSET,
                RequestCode.GET_TIMER_CHECK_POINT);
    }

    @Override
    public RemotingCommand processRequest(ChannelHandlerContext context, RemotingCommand request) throws Exception {
        boolean master = isMaster(); // the role may change while the positions are read
        RemotingCommand response = processor.processRequest(context, request);
        // Read after the positions: what was delivered before them ends here at the latest.
        if ((master || isMaster()) && !isConfirmed(controller.getMessageStore().getMaxPhyOffset())) {
            return RemotingCommand.createResponseCommand(
                    ResponseCode.SYSTEM_BUSY, "a member in sync lacks messages that were delivered before these positions");
        }
        return response;
    }

    private boolean isMaster() {
        return controller.getMessageStoreConfig().getBrokerRole() != BrokerRole.SLAVE;
    }

    private boolean isConfirmed(long end) {
        long begin = System.nanoTime();
        AutoSwitchHAService service =
                (AutoSwitchHAService) controller.getMessageStore().getHaService();
        // RocketMQ's own copy of this offset changes with the next report of a slave.
        while (service.computeConfirmOffset() < end) {
            if (System.nanoTime() - begin > LIMIT_NANOS) {
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
}
