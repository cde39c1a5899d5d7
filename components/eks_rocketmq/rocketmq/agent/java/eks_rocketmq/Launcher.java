package eks_rocketmq;

import com.alibaba.fastjson2.JSON;
import com.alibaba.fastjson2.JSONWriter;
import io.openmessaging.storage.dledger.DLedgerServer;
import java.util.Arrays;
import org.apache.rocketmq.broker.BrokerController;
import org.apache.rocketmq.broker.BrokerStartup;
import org.apache.rocketmq.controller.ControllerManager;
import org.apache.rocketmq.controller.ControllerStartup;
import org.apache.rocketmq.controller.impl.DLedgerController;
import org.apache.rocketmq.namesrv.NamesrvStartup;
import org.apache.rocketmq.proxy.ProxyStartup;

/**
 * Starts one role of RocketMQ with a probe server in the same JVM.
 *
 * <p>Arguments: the role, the port of the probe server, the path of {@code watchdog.sh}, then the arguments of
 * RocketMQ's own main class. In the environment: {@code TLS} if the role speaks TLS, and for a broker
 * {@code MIN_IN_SYNC} and {@code DRAIN_FENCE}.
 *
 * <p>Compiled for Java 8, which the official image has, and against all supported versions of RocketMQ.
 */
public final class Launcher {
    private Launcher() {}

    public static void main(String[] arguments) {
        try {
            run(arguments);
        } catch (Exception | LinkageError error) {
            error.printStackTrace();
            System.exit(1); // the threads of the probe server would keep the process
        }
    }

    private static void run(String[] arguments) throws Exception {
        String role = arguments[0];
        String[] own = Arrays.copyOfRange(arguments, 3, arguments.length);
        Probe probe;
        QuickStop.install();
        // The server starts first, so that the kubelet gets an answer while a store is recovered.
        ProbeServer server = new ProbeServer(Integer.parseInt(arguments[1]));
        switch (role) {
            case "nameserver":
                probe = server.serve(new RequestProbe(9876, 106, RequestProbe::isAccepted));
                NamesrvStartup.main(own);
                break;
            case "controller":
                ControllerManager manager = ControllerStartup.createControllerManager(own);
                CurrentHeartbeats.install(manager);
                if (!manager.initialize()) {
                    throw new IllegalStateException("the controller cannot be initialized");
                }
                RestartedMasters.install((DLedgerController) manager.getController(), manager.getControllerConfig());
                ControllerLog log = ControllerLog.install(manager.getController());
                AnsweringMembers.install(manager);
                probe = server.serve(new ControllerProbe(manager, log));
                DLedgerServer ledger = ControllerLog.findServer(manager.getController());
                Runnable stop = () -> {
                    LeadershipTransfer.run(ledger);
                    manager.shutdown();
                };
                Runtime.getRuntime().addShutdownHook(new Thread(stop, "EksRocketmqControllerStopping"));
                manager.start();
                PeerConnections.of(ledger).start();
                break;
            case "proxy":
                // The proxy does not support this code. It returns an error without a request to a broker.
                probe = server.serve(new RequestProbe(8080, 907, response -> null));
                ProxyStartup.main(own);
                MasterRoutes.install();
                break;
            case "broker":
                // The slaves of 5.5.0 cannot read the consumer offsets of a master with a broadcast consumer, as every
                // proxy is one: their parser cannot skip integer keys without quotes (issue 10284).
                JSON.config(JSONWriter.Feature.WriteNonStringKeyAsString);
                BrokerController controller = CheckedCommitLog.createBroker(own);
                ConfirmedHAService.install(controller);
                TransactionChecks.install(controller);
                PacedTransactions.install(controller);
                RepeatedRevives.install(controller);
                OrderedAcks.install(controller);
                DanglingSlots.clear(controller);
                EndedDeliveries.install(controller);
                DrainFence.install(controller, System.getenv("DRAIN_FENCE"));
                int minInSync = Integer.parseInt(System.getenv("MIN_IN_SYNC"));
                probe = server.serve(new BrokerProbe(controller, minInSync));
                BrokerStartup.start(controller);
                break;
            default:
                throw new IllegalArgumentException(
                        "role is '" + role + "'. Accepted: nameserver, controller, broker, proxy.");
        }
        Watchdog.start(probe, arguments[2]);
    }
}
