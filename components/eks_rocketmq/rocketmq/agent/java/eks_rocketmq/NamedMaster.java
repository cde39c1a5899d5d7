package eks_rocketmq;

import org.apache.rocketmq.broker.BrokerController;
import org.apache.rocketmq.broker.slave.SlaveSynchronize;
import org.apache.rocketmq.store.config.BrokerRole;

/**
 * Copies of a slave that come from the master that the controllers have named.
 *
 * <p>RocketMQ takes the address from the answer of a name server, which can be that of the former master for 10 s and
 * more, or none. A slave then copied topics, consumer groups, offsets and the position of the timer from the former
 * master, or waited for one that was lost. Afterwards, only the name server knows of another address of this master.
 */
final class NamedMaster extends SlaveSynchronize {
    private final BrokerController controller;

    private NamedMaster(BrokerController controller) {
        super(controller);
        this.controller = controller;
    }

    /** Replaces the copies of a broker that is not started yet. */
    static void install(BrokerController controller) throws ReflectiveOperationException {
        PrivateFields.write(BrokerController.class, "slaveSynchronize", controller, new NamedMaster(controller));
    }

    /** Called with the address that the controllers have named, and after each registration with that of a name server. */
    @Override
    public void setMasterAddr(String address) {
        boolean slave = controller.getMessageStoreConfig().getBrokerRole() == BrokerRole.SLAVE;
        ConfirmedHAService service =
                (ConfirmedHAService) controller.getMessageStore().getHaService();
        super.setMasterAddr(slave ? service.preferNamed(address) : address);
    }
}
