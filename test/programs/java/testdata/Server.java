import java.io.InputStream;
import java.io.IOException;
import java.security.KeyStore;
import java.security.Provider;
import java.security.Security;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;

/** Serves TLS with the key of a token: Server CONFIG PIN PORT. To each line that comes it answers "served". */
public class Server {
    public static void main(String[] args) throws Exception {
        Provider token = Security.getProvider("SunPKCS11").configure(args[0]);
        Security.addProvider(token);
        KeyStore keys = KeyStore.getInstance("PKCS11", token);
        keys.load(null, args[1].toCharArray());
        KeyManagerFactory managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        managers.init(keys, null);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(managers.getKeyManagers(), null, null);
        SSLServerSocket socket = (SSLServerSocket) context.getServerSocketFactory().createServerSocket(Integer.parseInt(args[2]), 100);
        while (true) {
            SSLSocket client = (SSLSocket) socket.accept();
            new Thread(() -> serve(client)).start();
        }
    }

    static void serve(SSLSocket client) {
        try (client) {
            InputStream in = client.getInputStream();
            for (int c = in.read(); c >= 0; c = in.read()) {
                if (c == '\n') {
                    client.getOutputStream().write("served".getBytes());
                }
            }
        } catch (IOException e) {
            System.err.println(e); // who only looks whether somebody listens does not shake hands
        }
    }
}
