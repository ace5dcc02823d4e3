import java.security.*;
import java.util.concurrent.atomic.AtomicInteger;
import javax.security.auth.callback.*;
import javax.security.auth.login.LoginException;

/** Asks somebody for the PIN: Login CONFIG PIN ALIAS. */
public class Login {
    public static void main(String[] args) throws Exception {
        AuthProvider token = (AuthProvider) Security.getProvider("SunPKCS11").configure(args[0]);
        Security.addProvider(token);
        try {
            token.login(null, answer("0000", new AtomicInteger()));
            throw new Exception("a wrong PIN will do");
        } catch (LoginException e) {
            System.out.println("a wrong PIN: " + e + ", " + e.getCause());
        }
        AtomicInteger asked = new AtomicInteger();
        KeyStore.CallbackHandlerProtection protection = new KeyStore.CallbackHandlerProtection(answer(args[1], asked));
        KeyStore keys = KeyStore.Builder.newInstance("PKCS11", token, protection).getKeyStore();
        sign(token, keys, args[2]);
        token.logout();
        try {
            sign(token, keys, args[2]);
            throw new Exception("a key can be used after a logout");
        } catch (GeneralSecurityException | ProviderException e) {
            System.out.println("after a logout: " + e);
        }
        token.login(null, answer(args[1], asked));
        keys = KeyStore.Builder.newInstance("PKCS11", token, protection).getKeyStore();
        sign(token, keys, args[2]);
        System.out.println("asked " + asked + " times");
    }

    static void sign(Provider token, KeyStore keys, String alias) throws Exception {
        Signature signer = Signature.getInstance("SHA256withECDSA", token);
        signer.initSign((PrivateKey) keys.getKey(alias, null));
        signer.update("hello".getBytes());
        byte[] signature = signer.sign();
        Signature verifier = Signature.getInstance("SHA256withECDSA", "SunEC");
        verifier.initVerify(keys.getCertificate(alias));
        verifier.update("hello".getBytes());
        if (!verifier.verify(signature)) {
            throw new Exception("the signature is wrong");
        }
    }

    static CallbackHandler answer(String pin, AtomicInteger asked) {
        return callbacks -> {
            for (Callback c : callbacks) {
                ((PasswordCallback) c).setPassword(pin.toCharArray());
                asked.incrementAndGet();
            }
        };
    }
}
