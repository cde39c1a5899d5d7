package eks_rocketmq;

import apache.rocketmq.v2.Code;
import apache.rocketmq.v2.QueryRouteRequest;
import apache.rocketmq.v2.QueryRouteResponse;
import com.google.common.cache.Cache;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.rocketmq.common.MixAll;
import org.apache.rocketmq.common.utils.AbstractStartAndShutdown;
import org.apache.rocketmq.common.utils.StartAndShutdown;
import org.apache.rocketmq.proxy.ProxyStartup;
import org.apache.rocketmq.proxy.common.ProxyContext;
import org.apache.rocketmq.proxy.grpc.v2.GrpcMessagingApplication;
import org.apache.rocketmq.proxy.grpc.v2.common.ResponseBuilder;
import org.apache.rocketmq.proxy.grpc.v2.route.RouteActivity;
import org.apache.rocketmq.proxy.service.metadata.ClusterMetadataService;
import org.apache.rocketmq.remoting.protocol.statictopic.TopicConfigAndQueueMapping;

/**
 * Answers a query for a route with an error while clients could not use the route.
 *
 * <p>Clients keep a route, and ask again after 30 s. After an error they keep the route that they have, and a client
 * without a route asks again at its next request. A route names proxies, not brokers, so that the former one is right
 * as soon as there is a master. RocketMQ answers with two routes that clients cannot use:
 *
 * <ul>
 *   <li>One without a master. The clients use only the queues of masters.
 *   <li>One without the type of the topic, if no broker was there when the proxy asked for it. A producer then rejects
 *       each message. RocketMQ keeps that there was no broker and asks again later.
 * </ul>
 */
final class MasterRoutes extends RouteActivity {
    private final Cache<String, TopicConfigAndQueueMapping> topics;

    private MasterRoutes(RouteActivity replaced) throws ReflectiveOperationException {
        super(
                readShared(replaced, "messagingProcessor"),
                readShared(replaced, "grpcClientSettingsManager"),
                readShared(replaced, "grpcChannelManager"));
        topics = PrivateFields.read(
                ClusterMetadataService.class, "topicConfigCache", messagingProcessor.getMetadataService());
    }

    /** Replaces the routes of a proxy that has started. */
    static void install() throws ReflectiveOperationException {
        Object proxy = PrivateFields.read(ProxyStartup.class, "PROXY_START_AND_SHUTDOWN", null);
        List<StartAndShutdown> parts =
                PrivateFields.read(AbstractStartAndShutdown.class, "startAndShutdownList", proxy);
        for (StartAndShutdown part : parts) {
            if (part instanceof GrpcMessagingApplication) {
                Object activities = readActivities(part);
                Class<?> owner = activities.getClass();
                RouteActivity replaced = PrivateFields.read(owner, "routeActivity", activities);
                PrivateFields.write(owner, "routeActivity", activities, new MasterRoutes(replaced));
            }
        }
    }

    @Override
    public CompletableFuture<QueryRouteResponse> queryRoute(ProxyContext context, QueryRouteRequest request) {
        String topic = request.getTopic().getName();
        return super.queryRoute(context, request).thenApply(response -> {
            if (!hasMaster(response)) {
                return refuse("no broker of topic " + topic + " is master");
            }
            return hasType(topic) ? response : refuse("no broker has answered with the type of topic " + topic);
        });
    }

    private static boolean hasMaster(QueryRouteResponse response) {
        return response.getMessageQueuesList().stream()
                .anyMatch(queue -> queue.getBroker().getId() == MixAll.MASTER_ID);
    }

    /** Returns whether a broker has answered with the type. Otherwise the next query asks again. */
    private boolean hasType(String topic) {
        TopicConfigAndQueueMapping known = topics.getIfPresent(topic);
        if (known != null && known.getTopicName() != null) {
            return true;
        }
        topics.invalidate(topic);
        return false;
    }

    private static QueryRouteResponse refuse(String message) {
        return QueryRouteResponse.newBuilder()
                .setStatus(ResponseBuilder.getInstance().buildStatus(Code.HA_NOT_AVAILABLE, message))
                .build();
    }

    /** Returns what a proxy does for clients of gRPC. Up to 5.3.3 RocketMQ has another name for it. */
    private static Object readActivities(Object application) throws ReflectiveOperationException {
        boolean former = Arrays.stream(GrpcMessagingApplication.class.getDeclaredFields())
                .anyMatch(field -> field.getName().equals("grpcMessingActivity"));
        String name = former ? "grpcMessingActivity" : "grpcMessagingActivity";
        return PrivateFields.read(GrpcMessagingApplication.class, name, application);
    }

    private static <T> T readShared(RouteActivity activity, String field) throws ReflectiveOperationException {
        return PrivateFields.read(RouteActivity.class.getSuperclass(), field, activity);
    }
}
