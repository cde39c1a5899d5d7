package dev.eksrocketmq.audit;

import java.util.List;

/** What to send. Public fields, because the JSON parser fills them. */
public final class LoadPlan {
    public String nameServers;
    public String ledger;
    public int timeoutMillis;
    public List<WorkloadPlan> workloads;

    /** Producer with its threads. */
    public static final class WorkloadPlan {
        /** Name in the ledger, unique in a load. */
        public String client;
        /** {@code normal}, {@code fifo}, {@code delayed} or {@code transaction}. */
        public String kind;
        public String topic;
        public int threads;
        /** Messages per second of all threads; 0 for as many as possible. */
        public double rate;
        /** Sharding keys of each thread, for {@code fifo}. */
        public int keys;
        public int bodyBytes;
        /** Delay of a message, for {@code delayed}. */
        public long delayMillis;
        /** Level of RocketMQ with this delay; 0 for a message of the timer. */
        public int delayLevel;
        /** Wait after an attempt that was not acknowledged. */
        public long pauseMillis;
    }
}
