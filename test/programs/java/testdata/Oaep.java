import java.security.*;
import java.util.Arrays;
import javax.crypto.Cipher;
import javax.crypto.NoSuchPaddingException;

/** Decrypts with RSA-OAEP, if the provider offers it: Oaep CONFIG PIN. The token has the key rsa. */
public class Oaep {
    public static void main(String[] args) throws Exception {
        Provider token = Security.getProvider("SunPKCS11").configure(args[0]);
        Security.addProvider(token);
        KeyStore keys = KeyStore.getInstance("PKCS11", token);
        keys.load(null, args[1].toCharArray());
        String name = "RSA/ECB/OAEPWithSHA-256AndMGF1Padding";
        Cipher there;
        try {
            there = Cipher.getInstance(name, token);
            there.init(Cipher.DECRYPT_MODE, keys.getKey("rsa", null));
        } catch (NoSuchAlgorithmException | NoSuchPaddingException e) {
            System.out.println("not offered: " + e);
            return;
        }
        Cipher here = Cipher.getInstance(name, "SunJCE");
        here.init(Cipher.ENCRYPT_MODE, keys.getCertificate("rsa").getPublicKey());
        byte[] text = "hello".getBytes();
        if (!Arrays.equals(there.doFinal(here.doFinal(text)), text)) {
            throw new Exception("OAEP is wrong");
        }
        System.out.println("all is well");
    }
}
