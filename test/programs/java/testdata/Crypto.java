import java.security.*;
import java.security.spec.*;
import java.util.Arrays;
import javax.crypto.*;
import javax.crypto.spec.*;

/** Does with a token what other providers do too, and compares: Crypto CONFIG PIN. The token has the keys rsa, ec, aes and hmac. */
public class Crypto {
    static Provider token;
    static KeyStore keys;
    static final byte[] data = new byte[100_000];

    public static void main(String[] args) throws Exception {
        token = Security.getProvider("SunPKCS11").configure(args[0]);
        Security.addProvider(token);
        keys = KeyStore.getInstance("PKCS11", token);
        keys.load(null, args[1].toCharArray());
        SecureRandom.getInstance("PKCS11", token).nextBytes(data);
        check("random bytes", !Arrays.equals(data, new byte[data.length]));
        signatures();
        generated();
        digests();
        ciphers();
        agreement();
        rsa();
        stored();
        System.out.println("all is well");
    }

    static void check(String what, boolean ok) throws Exception {
        if (!ok) {
            throw new Exception(what + " is wrong");
        }
        System.out.println(what);
    }

    static PublicKey certified(String alias) throws Exception {
        return keys.getCertificate(alias).getPublicKey();
    }

    static PrivateKey key(String alias) throws Exception {
        return (PrivateKey) keys.getKey(alias, null);
    }

    /** What the token signs, another provider verifies, and the token does. */
    static void signed(String algorithm, AlgorithmParameterSpec with, PrivateKey key, PublicKey certified, String other) throws Exception {
        Signature signer = Signature.getInstance(algorithm, token);
        signer.initSign(key);
        if (with != null) {
            signer.setParameter(with);
        }
        byte[] text = algorithm.startsWith("NONE") ? Arrays.copyOf(data, 32) : data;
        signer.update(text);
        byte[] signature = signer.sign();
        for (Provider provider : new Provider[] {Security.getProvider(other), token}) {
            Signature verifier = Signature.getInstance(algorithm, provider);
            verifier.initVerify(certified);
            if (with != null) {
                verifier.setParameter(with);
            }
            verifier.update(text);
            check(algorithm + " verified by " + provider.getName(), verifier.verify(signature));
            signature[signature.length - 1] ^= 1;
            verifier.update(text);
            check(algorithm + ", forged", !verifies(verifier, signature));
            signature[signature.length - 1] ^= 1;
        }
    }

    static boolean verifies(Signature verifier, byte[] signature) {
        try {
            return verifier.verify(signature);
        } catch (SignatureException e) {
            return false;
        }
    }

    static void signatures() throws Exception {
        for (String hash : new String[] {"SHA1", "SHA224", "SHA256", "SHA384", "SHA512"}) {
            signed(hash + "withRSA", null, key("rsa"), certified("rsa"), "SunRsaSign");
            signed(hash + "withECDSA", null, key("ec"), certified("ec"), "SunEC");
        }
        signed("SHA256withECDSAinP1363Format", null, key("ec"), certified("ec"), "SunEC");
        signed("NONEwithECDSA", null, key("ec"), certified("ec"), "SunEC");
        for (String hash : new String[] {"SHA-256", "SHA-384", "SHA-512"}) {
            int length = MessageDigest.getInstance(hash).getDigestLength();
            PSSParameterSpec pss = new PSSParameterSpec(hash, "MGF1", new MGF1ParameterSpec(hash), length, 1);
            signed("RSASSA-PSS", pss, key("rsa"), certified("rsa"), "SunRsaSign");
        }
    }

    static void generated() throws Exception {
        KeyPairGenerator rsa = KeyPairGenerator.getInstance("RSA", token);
        rsa.initialize(2048);
        KeyPair pair = rsa.generateKeyPair();
        check("a private key that stays", pair.getPrivate().getEncoded() == null);
        signed("SHA256withRSA", null, pair.getPrivate(), pair.getPublic(), "SunRsaSign");
        for (String curve : new String[] {"secp256r1", "secp384r1", "secp521r1"}) {
            KeyPairGenerator ec = KeyPairGenerator.getInstance("EC", token);
            ec.initialize(new ECGenParameterSpec(curve));
            pair = ec.generateKeyPair();
            signed("SHA512withECDSA", null, pair.getPrivate(), pair.getPublic(), "SunEC");
        }
    }

    static void digests() throws Exception {
        for (String name : new String[] {"SHA-1", "SHA-224", "SHA-256", "SHA-384", "SHA-512"}) {
            check(name, Arrays.equals(MessageDigest.getInstance(name, token).digest(data), MessageDigest.getInstance(name, "SUN").digest(data)));
        }
        for (String name : new String[] {"HmacSHA1", "HmacSHA224", "HmacSHA256", "HmacSHA384", "HmacSHA512"}) {
            SecretKeySpec key = new SecretKeySpec(data, 0, 40, name);
            Mac there = Mac.getInstance(name, token), here = Mac.getInstance(name, "SunJCE");
            there.init(key);
            here.init(key);
            check(name, Arrays.equals(there.doFinal(data), here.doFinal(data)));
        }
    }

    static void ciphers() throws Exception {
        AlgorithmParameterSpec iv = new IvParameterSpec(data, 0, 16);
        same("AES/CBC/PKCS5Padding", iv, data);
        same("AES/CBC/NoPadding", iv, Arrays.copyOf(data, 4096));
        same("AES/CTR/NoPadding", iv, data);
        same("AES/ECB/PKCS5Padding", null, data);
        same("AES/GCM/NoPadding", new GCMParameterSpec(128, data, 0, 12), data);
    }

    /** Both providers make the same of it, and of that the other one the text again. */
    static void same(String name, AlgorithmParameterSpec with, byte[] text) throws Exception {
        for (int bytes : new int[] {16, 32}) {
            SecretKeySpec key = new SecretKeySpec(data, 50, bytes, "AES");
            Cipher there = Cipher.getInstance(name, token), here = Cipher.getInstance(name, "SunJCE");
            there.init(Cipher.ENCRYPT_MODE, key, with);
            here.init(Cipher.ENCRYPT_MODE, key, with);
            if (with instanceof GCMParameterSpec) {
                there.updateAAD(data, 0, 21);
                here.updateAAD(data, 0, 21);
            }
            byte[] encrypted = here.doFinal(text);
            check(name + ", encrypted", Arrays.equals(there.doFinal(text), encrypted));
            there.init(Cipher.DECRYPT_MODE, key, with);
            if (with instanceof GCMParameterSpec) {
                there.updateAAD(data, 0, 21);
            }
            check(name + ", decrypted", Arrays.equals(there.doFinal(encrypted), text));
        }
    }

    static void agreement() throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC", "SunEC");
        generator.initialize(new ECGenParameterSpec("secp256r1"));
        KeyPair other = generator.generateKeyPair();
        KeyAgreement there = KeyAgreement.getInstance("ECDH", token), here = KeyAgreement.getInstance("ECDH", "SunEC");
        there.init(key("ec"));
        there.doPhase(other.getPublic(), true);
        here.init(other.getPrivate());
        here.doPhase(certified("ec"), true);
        check("ECDH", Arrays.equals(there.generateSecret(), here.generateSecret()));
    }

    static void rsa() throws Exception {
        byte[] text = Arrays.copyOf(data, 100);
        Cipher here = Cipher.getInstance("RSA/ECB/PKCS1Padding", "SunJCE"), there = Cipher.getInstance("RSA/ECB/PKCS1Padding", token);
        here.init(Cipher.ENCRYPT_MODE, certified("rsa"));
        there.init(Cipher.DECRYPT_MODE, key("rsa"));
        check("RSA", Arrays.equals(there.doFinal(here.doFinal(text)), text));
        SecretKey wrapped = new SecretKeySpec(data, 0, 32, "AES");
        here.init(Cipher.WRAP_MODE, certified("rsa"));
        there.init(Cipher.UNWRAP_MODE, key("rsa"));
        Key unwrapped = there.unwrap(here.wrap(wrapped), "AES", Cipher.SECRET_KEY);
        Cipher a = Cipher.getInstance("AES/CTR/NoPadding", token), b = Cipher.getInstance("AES/CTR/NoPadding", "SunJCE");
        a.init(Cipher.ENCRYPT_MODE, unwrapped, new IvParameterSpec(new byte[16]));
        b.init(Cipher.ENCRYPT_MODE, wrapped, new IvParameterSpec(new byte[16]));
        check("RSA, unwrapped", Arrays.equals(a.doFinal(text), b.doFinal(text)));
    }

    /** Secret keys of the token, and one that becomes one. */
    static void stored() throws Exception {
        SecretKey aes = (SecretKey) keys.getKey("aes", null);
        check("a secret key that stays", aes.getEncoded() == null);
        KeyGenerator generator = KeyGenerator.getInstance("AES", token);
        generator.init(256);
        keys.setKeyEntry("kept", generator.generateKey(), null, null);
        for (SecretKey key : new SecretKey[] {aes, (SecretKey) keys.getKey("kept", null)}) {
            Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding", token);
            cipher.init(Cipher.ENCRYPT_MODE, key, new GCMParameterSpec(128, new byte[12]));
            byte[] encrypted = cipher.doFinal(data);
            cipher.init(Cipher.DECRYPT_MODE, key, new GCMParameterSpec(128, new byte[12]));
            check("AES/GCM with a key of the token", Arrays.equals(cipher.doFinal(encrypted), data));
            encrypted[7] ^= 1;
            cipher.init(Cipher.DECRYPT_MODE, key, new GCMParameterSpec(128, new byte[12]));
            try {
                cipher.doFinal(encrypted);
                throw new Exception("what was changed is taken for right");
            } catch (BadPaddingException e) {
                System.out.println("AES/GCM, changed: " + e);
            }
        }
        Mac mac = Mac.getInstance("HmacSHA256", token);
        mac.init(keys.getKey("hmac", null));
        check("HMAC with a key of the token", Arrays.equals(mac.doFinal(data), mac.doFinal(data)));
    }
}
