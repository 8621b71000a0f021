// SPDX-License-Identifier: MIT
// Pair serve: answers on port 80. Pair call NAME...: prints the answer and the address of each server.
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;

class Pair {
    static String line(Socket socket) throws IOException {
        return new BufferedReader(new InputStreamReader(socket.getInputStream())).readLine();
    }

    public static void main(String[] args) throws IOException {
        if (args[0].equals("call")) {
            for (int i = 1; i < args.length; i++) {
                try (Socket socket = new Socket()) {
                    socket.connect(new InetSocketAddress(args[i], 80), 60000);
                    socket.getOutputStream().write("hello\n".getBytes());
                    System.out.println(line(socket) + " " + socket.getInetAddress().getHostAddress());
                }
            }
            return;
        }
        try (ServerSocket server = new ServerSocket(80)) {
            System.out.println("up");
            while (true) {
                try (Socket caller = server.accept()) {
                    String from = caller.getInetAddress().getHostAddress();
                    caller.getOutputStream().write(("java " + line(caller) + " " + from + "\n").getBytes());
                }
            }
        }
    }
}
