import java.io.FileInputStream;
import java.security.KeyStore;
import java.security.Provider;
import java.security.Security;
import java.security.cert.CertificateFactory;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/** Shows a server the certificate of a token's key: Client CONFIG PIN PORT CA TIMES. It does so with each protocol in turn. */
public class Client {
    public static void main(String[] args) throws Exception {
        Provider token = Security.getProvider("SunPKCS11").configure(args[0]);
        Security.addProvider(token);
        KeyStore keys = KeyStore.getInstance("PKCS11", token);
        keys.load(null, args[1].toCharArray());
        KeyManagerFactory managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        managers.init(keys, null);
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        trusted.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(new FileInputStream(args[3])));
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(managers.getKeyManagers(), trust.getTrustManagers(), null);
        for (int i = 0; i < Integer.parseInt(args[4]); i++) {
            for (String protocol : new String[] {"TLSv1.2", "TLSv1.3"}) {
                greet(context, Integer.parseInt(args[2]), protocol);
            }
        }
        System.out.println("done");
    }

    static void greet(SSLContext context, int port, String protocol) throws Exception {
        try (SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket("localhost", port)) {
            socket.setEnabledProtocols(new String[] {protocol});
            socket.getOutputStream().write("hello\n".getBytes());
            String answer = new String(socket.getInputStream().readAllBytes());
            if (!answer.equals("welcome")) {
                throw new Exception("the server says: " + answer);
            }
        }
    }
}
