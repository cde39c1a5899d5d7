package eks_rocketmq;

import java.lang.reflect.Field;

/** Reads and writes private fields of RocketMQ and DLedger. A version with other names fails. */
final class PrivateFields {
    private PrivateFields() {}

    /** Returns the value of a field. The caller knows its type. */
    @SuppressWarnings("unchecked")
    static <T> T read(Class<?> owner, String name, Object object) throws ReflectiveOperationException {
        return (T) find(owner, name).get(object);
    }

    static void write(Class<?> owner, String name, Object object, Object value) throws ReflectiveOperationException {
        find(owner, name).set(object, value);
    }

    private static Field find(Class<?> owner, String name) throws NoSuchFieldException {
        Field field = owner.getDeclaredField(name);
        field.setAccessible(true);
        return field;
    }
}
