// SPDX-License-Identifier: MIT
// Uses threads, files, a child process and a caught null pointer (the JVM handles its SIGSEGV).
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

public class Sample {
    static Object nothing;

    static int hashes(int rounds) {
        int caught = 0;
        for (int i = 0; i < rounds; i++) {
            try {
                nothing.hashCode();
            } catch (NullPointerException e) {
                caught++;
            }
        }
        return caught;
    }

    public static void main(String[] arguments) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(8);
        List<Future<Integer>> lengths = new ArrayList<>();
        for (int i = 0; i < 64; i++)
            lengths.add(pool.submit(() -> Files.readString(Path.of("/etc/passwd")).length()));
        int first = lengths.get(0).get();
        for (Future<Integer> length : lengths)
            if (length.get() != first)
                throw new AssertionError();
        pool.shutdown();
        Path path = Path.of("/root/java.txt");
        Files.writeString(path, System.getProperty("user.home"));
        System.out.println(Files.readString(path) + " of " + Files.getOwner(path));
        System.out.println("caught " + hashes(20000));
        new ProcessBuilder("id", "-un").inheritIO().start().waitFor();
    }
}
