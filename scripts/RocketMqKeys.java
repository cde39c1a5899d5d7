import java.lang.reflect.Method;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Prints the configuration keys of one RocketMQ version as JSON: role, key, type, default.
 *
 * RocketMQ sets configuration through setters and drops what has none without a word, so the setters are the list.
 * Usage: java -XX:ActiveProcessorCount=4 -Duser.home=/home/rocketmq -cp 'LIB/*' scripts/RocketMqKeys.java > VERSION.json
 * where LIB holds the jars of rocketmq-{namesrv,controller,broker,proxy} and what they depend on.
 * Defaults that depend on the machine (addresses, host name, processors) are left out.
 */
public class RocketMqKeys {
    private static final Map<String, List<String>> ROLES = new LinkedHashMap<>();
    private static final String HOST = hostName();

    static {
        ROLES.put("broker", List.of("org.apache.rocketmq.common.BrokerConfig",
            "org.apache.rocketmq.store.config.MessageStoreConfig", "org.apache.rocketmq.auth.config.AuthConfig",
            "org.apache.rocketmq.remoting.netty.NettyClientConfig",
            "org.apache.rocketmq.remoting.netty.NettyServerConfig"));
        ROLES.put("controller", List.of("org.apache.rocketmq.common.ControllerConfig",
            "org.apache.rocketmq.remoting.netty.NettyClientConfig",
            "org.apache.rocketmq.remoting.netty.NettyServerConfig"));
        ROLES.put("name_server", List.of("org.apache.rocketmq.common.namesrv.NamesrvConfig",
            "org.apache.rocketmq.remoting.netty.NettyClientConfig",
            "org.apache.rocketmq.remoting.netty.NettyServerConfig"));
        ROLES.put("proxy", List.of("org.apache.rocketmq.proxy.config.ProxyConfig",
            "org.apache.rocketmq.auth.config.AuthConfig"));
    }

    public static void main(String[] arguments) throws Exception {
        List<String> roles = new ArrayList<>();
        for (Map.Entry<String, List<String>> role : ROLES.entrySet()) {
            Map<String, String> keys = new TreeMap<>();
            for (String name : role.getValue()) {
                describe(Class.forName(name), keys);
            }
            List<String> lines = new ArrayList<>();
            keys.forEach((key, value) -> lines.add("    " + quote(key) + ": " + value));
            roles.add("  " + quote(role.getKey()) + ": {\n" + String.join(",\n", lines) + "\n  }");
        }
        System.out.println("{\n" + String.join(",\n", roles) + "\n}");
    }

    private static void describe(Class<?> type, Map<String, String> keys) throws Exception {
        Object instance = type.getDeclaredConstructor().newInstance();
        for (Method setter : type.getMethods()) {
            String name = setter.getName();
            if (!name.startsWith("set") || name.length() == 3 || setter.getParameterCount() != 1) {
                continue;
            }
            String key = Character.toLowerCase(name.charAt(3)) + name.substring(4);
            String kind = quote(setter.getParameterTypes()[0].getSimpleName());
            keys.putIfAbsent(key, "{\"type\": " + kind + defaultOf(instance, name) + "}");
        }
    }

    private static String defaultOf(Object instance, String setter) {
        for (String prefix : new String[] {"get", "is"}) {
            try {
                Object value = instance.getClass().getMethod(prefix + setter.substring(3)).invoke(instance);
                if (value instanceof Number || value instanceof Boolean) {
                    return ", \"default\": " + value;
                }
                boolean plain = value instanceof String || value instanceof Enum;
                boolean local = String.valueOf(value).matches("\\d+(\\.\\d+){3}") || HOST.equals(value);
                return plain && !local ? ", \"default\": " + quote(value.toString()) : "";
            } catch (ReflectiveOperationException absent) {
                continue;
            }
        }
        return "";
    }

    private static String hostName() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException unnamed) {
            return "";
        }
    }

    private static String quote(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + '"';
    }
}
