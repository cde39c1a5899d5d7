package eks_rocketmq;

import org.apache.rocketmq.broker.BrokerController;

/**
 * Tells a broker that knows one controller that there are three, and then one.
 *
 * <p>Argument: {@code broker.conf}. Prints {@code NAME ADDRESSES}. The broker opens no port.
 */
public final class AddedControllers {
    private AddedControllers() {}

    public static void main(String[] arguments) {
        TestProgram.run(() -> {
            BrokerController broker = TestProgram.createBroker(arguments[0]);
            ControllerAddresses.readSetting(broker.getReplicasManager()); // as the start of a broker does
            report("configured", broker);
            ControllerAddresses.update(broker, "n0:a-0.example:9878;n1:a-1.example:9878;n2:a-2.example:9878;");
            report("added", broker);
            ControllerAddresses.update(broker, "n0:a-0.example:9878;");
            report("removed", broker);
        });
    }

    private static void report(String name, BrokerController broker) {
        System.out.println(name + " " + String.join(",", broker.getReplicasManager().getControllerAddresses()));
    }
}
