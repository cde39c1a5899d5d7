package eks_rocketmq;

import org.apache.rocketmq.broker.BrokerController;
import org.apache.rocketmq.broker.transaction.TransactionMetricsFlushService;
import org.apache.rocketmq.broker.transaction.TransactionalMessageService;
import org.apache.rocketmq.broker.transaction.queue.MessageQueueOpContext;
import org.apache.rocketmq.broker.transaction.queue.TransactionalMessageServiceImpl;
import org.apache.rocketmq.broker.transaction.queue.TransactionalOpBatchService;
import org.apache.rocketmq.common.BrokerConfig;
import org.apache.rocketmq.common.ServiceThread;

/**
 * Threads of transactions that sleep while they have nothing to do. RocketMQ's use a whole processor.
 *
 * <p>The thread that stores the ends of transactions in batches does so in 5.5.0, from 3 s after a transaction until
 * the next one: {@code TransactionalMessageServiceImpl.batchSendOpMessage} returns a time in the past for a queue
 * without ends. The thread that writes the number of transactions to a file does so in all versions, in the first 3 s
 * of a broker, which it needs for its start.
 */
final class PacedTransactions {
    private PacedTransactions() {}

    /** Replaces the threads of a broker that is not started yet. RocketMQ's run already. */
    static void install(BrokerController controller) throws ReflectiveOperationException {
        TransactionalMessageService service = controller.getTransactionalMessageService();
        if (service instanceof TransactionalMessageServiceImpl) { // a plugin may replace it
            replace(
                    TransactionalMessageServiceImpl.class,
                    "transactionalOpBatchService",
                    service,
                    new Batches(controller, (TransactionalMessageServiceImpl) service));
        }
        replace(BrokerController.class, "transactionMetricsFlushService", controller, new Metrics(controller));
    }

    private static void replace(Class<?> owner, String name, Object object, ServiceThread replacement)
            throws ReflectiveOperationException {
        PrivateFields.<ServiceThread>read(owner, name, object).shutdown();
        PrivateFields.write(owner, name, object, replacement);
        replacement.start();
    }

    private static final class Batches extends TransactionalOpBatchService {
        private final BrokerConfig config;
        private final TransactionalMessageServiceImpl service;

        Batches(BrokerController controller, TransactionalMessageServiceImpl service) {
            super(controller, service);
            this.config = controller.getBrokerConfig();
            this.service = service;
        }

        @Override
        public void run() {
            while (!isStopped()) {
                waitForRunning(findPause());
            }
        }

        @Override
        protected void onWaitEnd() {
            service.batchSendOpMessage();
        }

        /** Returns the milliseconds until the next batch is due. A queue that gets its first end wakes no thread. */
        private long findPause() {
            long now = System.currentTimeMillis();
            long pause = config.getTransactionOpBatchInterval();
            for (MessageQueueOpContext ends : service.getDeleteContext().values()) {
                if (ends.getTotalSize().get() >= config.getTransactionOpMsgMaxSize()) {
                    pause = 0;
                } else if (!ends.getContextQueue().isEmpty()) {
                    pause = Math.min(
                            pause, ends.getLastWriteTimestamp() + config.getTransactionOpBatchInterval() - now);
                }
            }
            return Math.max(pause, 1);
        }
    }

    private static final class Metrics extends TransactionMetricsFlushService {
        private final BrokerController controller;

        Metrics(BrokerController controller) {
            super(controller);
            this.controller = controller;
        }

        @Override
        public void run() {
            while (!isStopped()) {
                waitForRunning(controller.getBrokerConfig().getTransactionMetricFlushInterval());
            }
        }

        /** Also writes the file when the thread is stopped. */
        @Override
        protected void onWaitEnd() {
            controller.getTransactionalMessageService().getTransactionMetrics().persist();
        }
    }
}
