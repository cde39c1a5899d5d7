package dev.eksrocketmq.audit;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.apache.rocketmq.client.exception.MQBrokerException;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.LocalTransactionState;
import org.apache.rocketmq.client.producer.MessageQueueSelector;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.client.producer.TransactionListener;
import org.apache.rocketmq.client.producer.TransactionMQProducer;
import org.apache.rocketmq.client.producer.TransactionSendResult;
import org.apache.rocketmq.client.producer.selector.SelectMessageQueueByHash;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/** Producer whose threads send one message after the other, each once. */
final class Workload {
    private static final int POLL_MILLIS = 1000;
    private static final int HEARTBEAT_MILLIS = 5000;
    private static final int ROLLED_BACK = 5; // every fifth transaction of a thread
    private static final Map<String, Boolean> REPORTED = new ConcurrentHashMap<>();

    private final LoadPlan.WorkloadPlan plan;
    private final Ledger ledger;
    private final DefaultMQProducer producer;
    private final MessageQueueSelector selector = new SelectMessageQueueByHash();
    private final List<Thread> threads = new ArrayList<>();
    private volatile boolean stopped;

    Workload(LoadPlan load, LoadPlan.WorkloadPlan plan, Ledger ledger) {
        this.plan = plan;
        this.ledger = ledger;
        producer = plan.kind.equals("transaction") ? transactional(plan.client) : new DefaultMQProducer(plan.client);
        producer.setNamesrvAddr(load.nameServers);
        // A client of its own, with its own connections and routes.
        producer.setInstanceName(plan.client + "@" + ProcessHandle.current().pid());
        producer.setSendMsgTimeout(load.timeoutMillis);
        producer.setRetryTimesWhenSendFailed(0);
        producer.setRetryTimesWhenSendAsyncFailed(0);
        producer.setRetryAnotherBrokerWhenNotStoreOK(false);
        producer.setCompressMsgBodyOverHowmuch(Integer.MAX_VALUE);
        producer.setVipChannelEnabled(false);
        producer.setPollNameServerInterval(POLL_MILLIS);
        producer.setHeartbeatBrokerInterval(HEARTBEAT_MILLIS);
    }

    private static TransactionMQProducer transactional(String group) {
        TransactionMQProducer producer = new TransactionMQProducer(group);
        producer.setTransactionListener(
                new TransactionListener() {
                    @Override
                    public LocalTransactionState executeLocalTransaction(Message message, Object argument) {
                        return decide(message);
                    }

                    @Override
                    public LocalTransactionState checkLocalTransaction(MessageExt message) {
                        return decide(message);
                    }
                });
        return producer;
    }

    /** Returns what becomes of a transaction. It follows from the id, so that a later check gets the same answer. */
    private static LocalTransactionState decide(Message message) {
        String id = Payload.id(message.getBody());
        long number = Long.parseLong(id.substring(id.lastIndexOf('-') + 1));
        return number % ROLLED_BACK == ROLLED_BACK - 1
                ? LocalTransactionState.ROLLBACK_MESSAGE
                : LocalTransactionState.COMMIT_MESSAGE;
    }

    void start() throws MQClientException {
        producer.start();
        for (int number = 0; number < plan.threads; number++) {
            int thread = number;
            Thread sender = new Thread(() -> sendUntilStopped(thread), plan.client + "-" + thread);
            // The others would hide that a thread has ended.
            sender.setUncaughtExceptionHandler((ended, error) -> {
                error.printStackTrace();
                System.exit(1);
            });
            sender.start();
            threads.add(sender);
        }
    }

    void stop() {
        stopped = true;
    }

    void join() throws InterruptedException {
        for (Thread each : threads) {
            each.join();
        }
    }

    void shutdown() {
        producer.shutdown();
    }

    private void sendUntilStopped(int thread) {
        long period = plan.rate > 0 ? (long) (TimeUnit.SECONDS.toNanos(1) * plan.threads / plan.rate) : 0;
        long[] sequences = new long[Math.max(1, plan.keys)];
        long due = System.nanoTime() + period * thread / plan.threads;
        for (long number = 0; !stopped; number++) {
            // What is overdue is left out: a burst after a fault would not be a steady rate.
            due = Math.max(due + period, System.nanoTime() - period);
            while (!stopped && System.nanoTime() < due) {
                LockSupport.parkNanos(due - System.nanoTime());
            }
            if (stopped) {
                return;
            }
            int slot = (int) (number % sequences.length);
            String key = plan.kind.equals("fifo") ? plan.client + "-" + thread + "-" + slot : null;
            String id = plan.client + "-" + thread + "-" + number;
            ledger.begin(plan, id, key, sequences[slot]++);
            String code = attempt(id, key);
            ledger.end(id, code);
            if (!code.equals("SEND_OK") && !code.equals("ROLLED_BACK")) {
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(plan.pauseMillis));
            }
        }
    }

    /** Send one message and return the status or, for an error, its kind. */
    private String attempt(String id, String key) {
        Message message = new Message(plan.topic, Payload.create(id, plan.bodyBytes));
        message.setKeys(id);
        if (plan.delayLevel > 0) {
            message.setDelayTimeLevel(plan.delayLevel);
        } else if (plan.kind.equals("delayed")) {
            message.setDelayTimeMs(plan.delayMillis);
        }
        try {
            return describe(send(message, key));
        } catch (Exception error) {
            String code = describe(error);
            if (REPORTED.putIfAbsent(plan.client + code, true) == null) {
                System.err.println(plan.client + ": " + code + ": " + error);
            }
            return code;
        }
    }

    private SendResult send(Message message, String key) throws Exception {
        if (producer instanceof TransactionMQProducer) {
            return producer.sendMessageInTransaction(message, null);
        }
        if (key != null) {
            message.putUserProperty("shard", key);
            return producer.send(message, selector, key);
        }
        return producer.send(message);
    }

    private static String describe(SendResult result) {
        boolean rolledBack = result.getSendStatus() == SendStatus.SEND_OK
                && result instanceof TransactionSendResult
                && ((TransactionSendResult) result).getLocalTransactionState() == LocalTransactionState.ROLLBACK_MESSAGE;
        return rolledBack ? "ROLLED_BACK" : result.getSendStatus().name();
    }

    private static String describe(Throwable error) {
        for (Throwable each = error; each != null; each = each.getCause()) {
            if (each instanceof MQBrokerException) {
                return "BROKER_" + ((MQBrokerException) each).getResponseCode();
            }
            if (each.getCause() == null) {
                return each.getClass().getSimpleName();
            }
        }
        return "UNKNOWN";
    }
}
