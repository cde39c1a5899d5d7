package eks_rocketmq;

import apache.rocketmq.v2.MessageQueue;
import apache.rocketmq.v2.MessageType;
import apache.rocketmq.v2.QueryRouteRequest;
import apache.rocketmq.v2.QueryRouteResponse;
import apache.rocketmq.v2.Resource;
import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.stub.StreamObserver;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.rocketmq.common.TopicConfig;
import org.apache.rocketmq.common.constant.GrpcConstants;
import org.apache.rocketmq.common.utils.AbstractStartAndShutdown;
import org.apache.rocketmq.common.utils.StartAndShutdown;
import org.apache.rocketmq.proxy.ProxyStartup;
import org.apache.rocketmq.proxy.config.Configuration;
import org.apache.rocketmq.proxy.config.ConfigurationManager;
import org.apache.rocketmq.proxy.grpc.v2.GrpcMessagingApplication;
import org.apache.rocketmq.proxy.processor.MessagingProcessor;
import org.apache.rocketmq.proxy.service.metadata.ClusterMetadataService;
import org.apache.rocketmq.proxy.service.metadata.MetadataService;
import org.apache.rocketmq.proxy.service.route.ProxyTopicRouteData;
import org.apache.rocketmq.remoting.protocol.route.BrokerData;
import org.apache.rocketmq.remoting.protocol.route.QueueData;
import org.apache.rocketmq.remoting.protocol.route.TopicRouteData;
import org.apache.rocketmq.remoting.protocol.statictopic.TopicConfigAndQueueMapping;

/**
 * Asks a proxy for a route in which the only broker is a slave, for one with a master, and for one with a master while
 * the proxy still knows that there was no broker when it asked for the type of the topic.
 *
 * <p>Prints {@code NAME-ROUTE CODE}, {@code NAME-ROUTE-queues NUMBER} with the queues that a client uses, those of
 * masters, and {@code NAME-ROUTE-types TYPES} with the types of messages that it may send.
 */
public final class RouteWithoutMaster {
    private static final long MASTER = 0;
    private static final long SLAVE = 2;

    private static final TopicConfigAndQueueMapping NORMAL =
            new TopicConfigAndQueueMapping(new TopicConfig("orders"), null);

    private static long registered;

    private RouteWithoutMaster() {}

    public static void main(String[] arguments) {
        TestProgram.run(() -> {
            configure(Paths.get(arguments[0]).resolveSibling("rmq-proxy.json"));
            Topics topics = new Topics();
            GrpcMessagingApplication proxy = GrpcMessagingApplication.create(createProcessor(topics));
            report("rocketmq", proxy, topics);
            Object started = PrivateFields.read(ProxyStartup.class, "PROXY_START_AND_SHUTDOWN", null);
            List<StartAndShutdown> parts =
                    PrivateFields.read(AbstractStartAndShutdown.class, "startAndShutdownList", started);
            parts.add(proxy);
            MasterRoutes.install();
            report("agent", proxy, topics);
        });
    }

    private static void configure(Path file) throws Exception {
        Files.writeString(file, "{\"rocketMQClusterName\": \"c\", \"namesrvAddr\": \"127.0.0.1:1\"}");
        System.setProperty(Configuration.CONFIG_PATH_PROPERTY, file.toString());
        ConfigurationManager.initEnv();
        Configuration configuration = new Configuration();
        configuration.init();
        PrivateFields.write(ConfigurationManager.class, "configuration", null, configuration);
    }

    /** The types of topics that a proxy knows. It finds no broker to ask. */
    private static final class Topics extends ClusterMetadataService {
        private int questions;

        Topics() {
            super(null, null);
        }

        void remember(TopicConfigAndQueueMapping config) {
            topicConfigCache.put("orders", config);
        }

        void rememberNone() {
            remember(EMPTY_TOPIC_CONFIG);
        }

        @Override
        protected Optional<BrokerData> findOneBroker(String topic) {
            questions++;
            return Optional.empty();
        }
    }

    /** Returns the part of a proxy that knows routes. */
    private static MessagingProcessor createProcessor(MetadataService metadata) {
        return implement(
                MessagingProcessor.class,
                Map.of(
                        "getMetadataService",
                        () -> metadata,
                        "getTopicRouteDataForProxy",
                        RouteWithoutMaster::createRoute));
    }

    /** Implements some methods of an interface. The others return null. */
    private static <T> T implement(Class<T> type, Map<String, Supplier<Object>> methods) {
        ClassLoader loader = RouteWithoutMaster.class.getClassLoader();
        return type.cast(Proxy.newProxyInstance(
                loader,
                new Class<?>[] {type},
                (proxy, method, given) ->
                        methods.getOrDefault(method.getName(), () -> null).get()));
    }

    private static ProxyTopicRouteData createRoute() {
        QueueData queues = new QueueData();
        queues.setBrokerName("g");
        queues.setPerm(6);
        queues.setReadQueueNums(1);
        queues.setWriteQueueNums(1);
        TopicRouteData route = new TopicRouteData();
        route.setQueueDatas(Collections.singletonList(queues));
        HashMap<Long, String> addresses = new HashMap<>(Map.of(registered, "10.0.0.1:10911"));
        route.setBrokerDatas(Collections.singletonList(new BrokerData("c", "g", addresses)));
        return new ProxyTopicRouteData(route);
    }

    private static void report(String name, GrpcMessagingApplication proxy, Topics topics) throws Exception {
        topics.remember(NORMAL);
        registered = SLAVE;
        report(name + "-slave", ask(proxy));
        registered = MASTER;
        report(name + "-master", ask(proxy));
        topics.rememberNone();
        ask(proxy); // may ask for the type
        topics.questions = 0;
        report(name + "-untyped", ask(proxy));
        System.out.println(name + "-untyped-questions " + topics.questions);
    }

    private static void report(String name, QueryRouteResponse response) {
        System.out.println(name + " " + response.getStatus().getCode());
        System.out.println(name + "-queues "
                + response.getMessageQueuesList().stream()
                        .map(MessageQueue::getBroker)
                        .filter(broker -> broker.getId() == MASTER)
                        .count());
        System.out.println(name + "-types "
                + response.getMessageQueuesList().stream()
                        .flatMap(queue -> queue.getAcceptMessageTypesList().stream())
                        .map(MessageType::name)
                        .collect(Collectors.joining(",")));
    }

    private static QueryRouteResponse ask(GrpcMessagingApplication proxy) throws Exception {
        Metadata headers = new Metadata();
        headers.put(GrpcConstants.CLIENT_ID, "client");
        QueryRouteRequest request = QueryRouteRequest.newBuilder()
                .setTopic(Resource.newBuilder().setName("orders"))
                .build();
        CompletableFuture<QueryRouteResponse> answer = new CompletableFuture<>();
        Context context = Context.current().withValue(GrpcConstants.METADATA, headers);
        context.run(() -> proxy.queryRoute(request, complete(answer)));
        return answer.get(10, TimeUnit.SECONDS);
    }

    private static <T> StreamObserver<T> complete(CompletableFuture<T> answer) {
        return new StreamObserver<T>() {
            @Override
            public void onNext(T value) {
                answer.complete(value);
            }

            @Override
            public void onError(Throwable error) {
                answer.completeExceptionally(error);
            }

            @Override
            public void onCompleted() {}
        };
    }
}
