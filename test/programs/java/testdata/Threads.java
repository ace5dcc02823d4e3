import java.security.*;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.*;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;

/**
 * Many threads use the keys rsa, ec and aes of a token at once: Threads CONFIG PIN THREADS TIMES. Between, they have the JVM handle signals of its own, which
 * the module must leave to it, and start processes.
 */
public class Threads {
    public static void main(String[] args) throws Exception {
        Provider token = Security.getProvider("SunPKCS11").configure(args[0]);
        Security.addProvider(token);
        KeyStore keys = KeyStore.getInstance("PKCS11", token);
        keys.load(null, args[1].toCharArray());
        int threads = Integer.parseInt(args[2]), times = Integer.parseInt(args[3]);
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        List<Callable<Void>> work = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            byte[] text = ("thread " + i).getBytes();
            work.add(() -> {
                for (int n = 0; n < times; n++) {
                    sign(token, keys, "SHA256withRSA", "rsa", text);
                    sign(token, keys, "SHA256withECDSA", "ec", text);
                    encrypt(token, keys.getKey("aes", null), text, n);
                    stumble(n);
                }
                return null;
            });
        }
        long start = System.nanoTime();
        for (Future<Void> f : pool.invokeAll(work)) {
            f.get();
        }
        pool.shutdown();
        System.out.printf("%d threads, %d rounds each: %d ms\n", threads, times, (System.nanoTime() - start) / 1_000_000);
    }

    static void sign(Provider token, KeyStore keys, String algorithm, String alias, byte[] text) throws Exception {
        Signature signer = Signature.getInstance(algorithm, token);
        signer.initSign((PrivateKey) keys.getKey(alias, null));
        signer.update(text);
        byte[] signature = signer.sign();
        Signature verifier = Signature.getInstance(algorithm, algorithm.endsWith("RSA") ? "SunRsaSign" : "SunEC");
        verifier.initVerify(keys.getCertificate(alias));
        verifier.update(text);
        if (!verifier.verify(signature)) {
            throw new Exception(algorithm + " is wrong");
        }
    }

    /** Null references and endless recursion end in SIGSEGV, which the JVM makes exceptions of. */
    static void stumble(int n) throws Exception {
        for (int i = 0; i < 100; i++) {
            try {
                n += length(i % 2 == 0 ? null : "text");
            } catch (NullPointerException e) {
                n++;
            }
        }
        if (n % 10 == 0) {
            try {
                recurse(n);
            } catch (StackOverflowError e) {
                n++;
            }
            if (new ProcessBuilder("true").start().waitFor() != 0) {
                throw new Exception("a process fails");
            }
        }
    }

    static int length(String text) {
        return text.length();
    }

    static int recurse(int n) {
        return 1 + recurse(n + 1);
    }

    static void encrypt(Provider token, Key key, byte[] text, int n) throws Exception {
        byte[] nonce = Arrays.copyOf((n + new String(text) + "............").getBytes(), 12);
        Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding", token);
        cipher.init(Cipher.ENCRYPT_MODE, key, new GCMParameterSpec(128, nonce));
        byte[] encrypted = cipher.doFinal(text);
        cipher.init(Cipher.DECRYPT_MODE, key, new GCMParameterSpec(128, nonce));
        if (!Arrays.equals(cipher.doFinal(encrypted), text)) {
            throw new Exception("AES/GCM is wrong");
        }
    }
}
