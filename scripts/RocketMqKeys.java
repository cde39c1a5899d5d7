import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.spi.ToolProvider;

/**
 * Prints the configuration keys of the RocketMQ on the class path as JSON: role, key, type, default, members of an enum,
 * whether RocketMQ deprecates the key, and whether nothing in it reads the key. Started by rocketmq_keys.py.
 *
 * RocketMQ sets configuration through setters and silently ignores keys without one, so the setters are the list. From a
 * .conf file it reads numbers, booleans and strings only; from the proxy's JSON it reads all types.
 *
 * A key counts as unread if two conditions hold. No class but that of its setter contains its name, in any case. In that
 * class only the field's getter reads the field, and no code calls the getter. Access by reflection or as text would
 * also need the name.
 */
public class RocketMqKeys {
    private static final List<String> NETTY = List.of("org.apache.rocketmq.remoting.netty.NettyClientConfig",
        "org.apache.rocketmq.remoting.netty.NettyServerConfig");
    private static final Map<String, List<String>> ROLES = new LinkedHashMap<>();
    private static final Map<String, String> PLAIN = Map.of("int", "int", "Integer", "int", "long", "long", "Long",
        "long", "double", "double", "Double", "double", "boolean", "boolean", "Boolean", "boolean", "String", "string");
    private static final String HOST = hostName();
    /** What is a word in RocketMQ's compiled classes, in small letters, to the classes that have it. */
    private static final Map<String, Set<String>> WORDS = new HashMap<>();
    private static final Map<Class<?>, List<String>> CODE = new HashMap<>();

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
        readWords();
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
                    + (deprecated(type, key, setter.getValue()) ? ", \"deprecated\": true" : "")
                    + (unread(setter.getValue().get(0).getDeclaringClass(), key) ? ", \"unread\": true" : "") + "}");
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

    private static boolean unread(Class<?> owner, String key) {
        String small = key.toLowerCase(Locale.ROOT);
        Set<String> owners = Set.of(owner.getName());
        for (Map.Entry<String, Set<String>> word : WORDS.entrySet()) {
            if (word.getKey().contains(small) && !word.getValue().equals(owners)) {
                return false;
            }
        }
        String method = "";
        boolean set = false;
        for (String line : CODE.computeIfAbsent(owner, RocketMqKeys::code)) {
            if (line.matches("  [a-z][^#]*[(].*;")) {
                method = line.replaceAll("^.* |[(].*$", "");
            } else if (line.matches(".* = Methodref .*[.](get|is)" + small + ":.*")) {
                return false;
            } else if (line.matches(".*: getfield .*// field " + small + ":.*") && !method.matches("(get|is)" + small)) {
                return false;
            }
            set |= method.equals("set" + small) && line.matches(".*: putfield .*// field " + small + ":.*");
        }
        return set;
    }

    /** A class as javap shows it, in small letters. */
    private static List<String> code(Class<?> type) {
        StringWriter shown = new StringWriter();
        PrintWriter out = new PrintWriter(shown);
        int failed = ToolProvider.findFirst("javap").orElseThrow()
            .run(out, out, "-p", "-v", "-cp", System.getProperty("java.class.path"), type.getName());
        if (failed != 0) {
            throw new IllegalStateException("javap: " + shown);
        }
        return shown.toString().toLowerCase(Locale.ROOT).lines().toList();
    }

    private static void readWords() throws IOException {
        for (String path : System.getProperty("java.class.path").split(File.pathSeparator)) {
            try (JarFile jar = new JarFile(path)) {
                for (JarEntry entry : (Iterable<JarEntry>) jar.stream()::iterator) {
                    if (entry.getName().matches("org/apache/rocketmq/.*[.]class")) {
                        String name = entry.getName().replaceAll("[.]class$", "").replace('/', '.');
                        try (InputStream in = jar.getInputStream(entry)) {
                            String text = new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
                            for (String word : text.toLowerCase(Locale.ROOT).split("\\W+")) {
                                WORDS.computeIfAbsent(word, absent -> new HashSet<>()).add(name);
                            }
                        }
                    }
                }
            }
        }
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
