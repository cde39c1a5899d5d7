package eks_rocketmq;

import java.util.concurrent.ConcurrentHashMap;
import org.apache.rocketmq.common.BrokerConfig;
import org.apache.rocketmq.store.DefaultMessageStore;
import org.apache.rocketmq.store.config.MessageStoreConfig;
import org.apache.rocketmq.store.stats.BrokerStatsManager;

/** Store of a test that neither loads nor starts it. */
class PlainStore extends DefaultMessageStore {
    PlainStore(MessageStoreConfig config) throws Exception {
        super(
                config,
                new BrokerStatsManager(new BrokerConfig()),
                null,
                new BrokerConfig(),
                new ConcurrentHashMap<>());
    }
}
