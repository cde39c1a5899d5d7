package eks_rocketmq;

import apache.rocketmq.v2.Code;
import apache.rocketmq.v2.QueryRouteRequest;
import apache.rocketmq.v2.QueryRouteResponse;
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

/**
 * Answers a query for a route without a master with an error.
 *
 * <p>RocketMQ answers with the queues of the slaves. The clients keep this route, use only the queues of masters, and
 * ask again after 30 s. Until then each send and receive fails, although a master is elected within seconds. After an
 * error they keep the route that they have, and a client without a route asks again at its next request. A route names
 * proxies, not brokers, so that the former one is right as soon as there is a master.
 */
final class MasterRoutes extends RouteActivity {
    private MasterRoutes(RouteActivity replaced) throws ReflectiveOperationException {
        super(
                readShared(replaced, "messagingProcessor"),
                readShared(replaced, "grpcClientSettingsManager"),
                readShared(replaced, "grpcChannelManager"));
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
        return super.queryRoute(context, request)
                .thenApply(response -> hasMaster(response) ? response : refuse(request));
    }

    private static boolean hasMaster(QueryRouteResponse response) {
        return response.getMessageQueuesList().stream()
                .anyMatch(queue -> queue.getBroker().getId() == MixAll.MASTER_ID);
    }

    private static QueryRouteResponse refuse(QueryRouteRequest request) {
        String message = "no broker of topic " + request.getTopic().getName() + " is master";
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
