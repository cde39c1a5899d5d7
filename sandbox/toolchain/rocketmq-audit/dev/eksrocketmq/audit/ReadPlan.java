package dev.eksrocketmq.audit;

import java.util.List;

/** What to read. Public fields, because the JSON parser fills them. */
public final class ReadPlan {
    /** Address of the broker, {@code host:port}. */
    public String broker;
    public List<String> topics;
    public String output;
}
