package dev.eksrocketmq.audit;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;

/** Body of a message: its id, a line feed, and bytes that follow from the id, so that damage is found. */
final class Payload {
    private Payload() {}

    static byte[] create(String id, int bytes) {
        byte[] head = (id + "\n").getBytes(StandardCharsets.UTF_8);
        byte[] padding = new byte[Math.max(0, bytes - head.length)];
        new Random(id.hashCode()).nextBytes(padding);
        byte[] body = Arrays.copyOf(head, head.length + padding.length);
        System.arraycopy(padding, 0, body, head.length, padding.length);
        return body;
    }

    /** Return the id in a body. The body is damaged when {@link #create} makes another one of it. */
    static String id(byte[] body) {
        int end = 0;
        while (end < body.length && body[end] != '\n') {
            end++;
        }
        return new String(body, 0, end, StandardCharsets.UTF_8);
    }

    static boolean isIntact(byte[] body) {
        return Arrays.equals(body, create(id(body), body.length));
    }
}
