import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Prints the configuration keys of the RocketMQ on the class path as JSON: role, key, type, default, members of an enum,
 * and whether RocketMQ deprecates the key. Started by rocketmq_keys.py.
 *
 * RocketMQ sets configuration through setters and drops what has none without a word, so the setters are the list. Of a
 * .conf file it passes numbers, booleans and strings only; the proxy's JSON sets everything else as well.
 */
public class RocketMqKeys {
    private static final List<String> NETTY = List.of("org.apache.rocketmq.remoting.netty.NettyClientConfig",
        "org.apache.rocketmq.remoting.netty.NettyServerConfig");
    private static final Map<String, List<String>> ROLES = new LinkedHashMap<>();
    private static final Map<String, String> PLAIN = Map.of("int", "int", "Integer", "int", "long", "long", "Long",
        "long", "double", "double", "Double", "double", "boolean", "boolean", "Boolean", "boolean", "String", "string");
    private static final String HOST = hostName();

    static {
        // In the order in which each program's startup class reads its file into them.
        ROLES.put("broker", with("org.apache.rocketmq.common.BrokerConfig",
            "org.apache.rocketmq.store.config.MessageStoreConfig", "org.apache.rocketmq.auth.config.AuthConfig"));
        ROLES.put("controller", with("org.apache.rocketmq.common.ControllerConfig",
            "org.apache.rocketmq.common.JraftConfig"));
        ROLES.put("name_server", with("org.apache.rocketmq.common.namesrv.NamesrvConfig"));
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

    private static List<String> with(String... own) {
        List<String> all = new ArrayList<>(List.of(own));
        all.addAll(NETTY);
        return all;
    }

    private static void describe(Class<?> type, Map<String, String> keys) throws Exception {
        Object instance = type.getDeclaredConstructor().newInstance();
        Map<String, List<Method>> setters = new TreeMap<>();
        for (Method method : type.getMethods()) {
            String name = method.getName();
            if (name.startsWith("set") && name.length() > 3 && method.getParameterCount() == 1) {
                setters.computeIfAbsent(name.substring(3), absent -> new ArrayList<>()).add(method);
            }
        }
        for (Map.Entry<String, List<Method>> setter : setters.entrySet()) {
            String key = Character.toLowerCase(setter.getKey().charAt(0)) + setter.getKey().substring(1);
            String kind = kindOf(setter.getValue());
            if (kind != null) {
                Object value = valueOf(instance, setter.getKey());
                keys.putIfAbsent(key, "{\"type\": " + kind + defaultOf(value)
                    + (deprecated(type, key, setter.getValue()) ? ", \"deprecated\": true" : "") + "}");
            }
        }
    }

    /** An overloaded setter takes the text of an enum's member, and its ordinal; the member is what people write. */
    private static String kindOf(List<Method> overloads) {
        TreeSet<String> plain = new TreeSet<>();
        for (Method setter : overloads) {
            Class<?> parameter = setter.getParameterTypes()[0];
            if (parameter.isEnum()) {
                List<String> members = new ArrayList<>();
                for (Object member : parameter.getEnumConstants()) {
                    members.add(quote(((Enum<?>) member).name()));
                }
                return "\"enum\", \"members\": [" + String.join(", ", members) + "]";
            }
            if (PLAIN.containsKey(parameter.getSimpleName())) {
                plain.add(PLAIN.get(parameter.getSimpleName()));
            }
        }
        if (plain.size() > 1) {
            throw new IllegalStateException(overloads.get(0) + " takes " + plain);
        }
        return plain.isEmpty() ? null : quote(plain.first());
    }

    private static Object valueOf(Object instance, String property) {
        for (String prefix : new String[] {"get", "is"}) {
            try {
                return instance.getClass().getMethod(prefix + property).invoke(instance);
            } catch (ReflectiveOperationException absent) {
                continue;
            }
        }
        return null;
    }

    private static String defaultOf(Object value) {
        if (value instanceof Number || value instanceof Boolean) {
            return ", \"default\": " + value;
        }
        boolean plain = value instanceof String || value instanceof Enum;
        String text = value instanceof Enum ? ((Enum<?>) value).name() : String.valueOf(value);
        // Addresses and host name of this machine, and paths below a home that a running proxy would know.
        boolean local = text.matches("\\d+(\\.\\d+){3}") || HOST.equals(text) || text.startsWith("null/");
        return plain && !local ? ", \"default\": " + quote(text) : "";
    }

    private static boolean deprecated(Class<?> type, String key, List<Method> setters) {
        boolean marked = setters.stream().allMatch(setter -> setter.isAnnotationPresent(Deprecated.class));
        for (Class<?> owner = type; owner != null; owner = owner.getSuperclass()) {
            for (Field field : owner.getDeclaredFields()) {
                marked |= field.getName().equals(key) && field.isAnnotationPresent(Deprecated.class);
            }
        }
        return marked;
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
