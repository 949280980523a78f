import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;

/** Services in a JVM, in trouble or not. Each argument is one task, and all of them run at once: java Shop 'serve 8080' 'transfer'. */
public class Shop {
    private static final AtomicLong done = new AtomicLong();

    public static void main(String[] args) throws Exception {
        for (String arg : args) {
            String[] words = arg.split(" ");
            switch (words[0]) {
                case "serve" -> serve(Integer.parseInt(words[1]));
                case "transfer" -> transfer(); // between two accounts, in both directions
                case "cache" -> cache(); // fills the heap, and goes on
                case "stock" -> stock(Integer.parseInt(words[1])); // N threads that all want what one keeps
                default -> throw new IllegalArgumentException("unknown task " + arg);
            }
        }
        for (int seconds = 5; ; seconds += 5) {
            long before = done.get();
            Thread.sleep(5000);
            log(done.get() == before && args.length > 1 ? "WARN nothing done for 5 s" : "INFO " + seconds + " s, " + done.get() + " done");
        }
    }

    /** HTTP: 200 for everything. */
    private static void serve(int port) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(port), 0);
        server.createContext("/", exchange -> {
            exchange.sendResponseHeaders(200, 3);
            exchange.getResponseBody().write("ok\n".getBytes());
            exchange.close();
            done.incrementAndGet();
        });
        server.setExecutor(Executors.newFixedThreadPool(4));
        server.start();
    }

    private static void transfer() {
        Object giro = new Object(), savings = new Object();
        work("payment-in", giro, savings);
        work("payment-out", savings, giro);
    }

    private static void work(String name, Object from, Object to) {
        new Thread(() -> {
            while (true) {
                synchronized (from) {
                    pause(50);
                    synchronized (to) {
                        done.incrementAndGet();
                    }
                }
            }
        }, name).start();
    }

    /** Keeps all that fits, and goes on making room for what is new. */
    private static void cache() {
        new Thread(() -> {
            ArrayDeque<byte[]> kept = new ArrayDeque<>();
            while (true) {
                try {
                    kept.add(new byte[4096]);
                    done.incrementAndGet();
                } catch (OutOfMemoryError e) {
                    for (int i = 0; i < 64; i++) kept.poll();
                }
            }
        }, "cache").start();
    }

    private static void stock(int threads) {
        Object shelf = new Object();
        for (int i = 0; i < threads; i++) {
            new Thread(() -> {
                synchronized (shelf) {
                    pause(3_600_000);
                }
            }, "order-" + i).start();
        }
    }

    private static void pause(long ms) {
        try {
            Thread.sleep(ms);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void log(String text) {
        System.out.println(Instant.now() + " " + text);
    }
}
