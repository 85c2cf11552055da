// java tests/vectors/make/Java.java > tests/vectors/java.json
// Fluent's platform signs in Java. This signs both of its headers with java.security.Signature and the algorithm names that
// Fluent documents.

import java.nio.file.*;
import java.security.*;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.*;
import java.util.regex.*;

public class Java {
    public static void main(String[] arguments) throws Exception {
        Path folder = Path.of("tests/vectors");
        Matcher bodies = Pattern.compile("^  \"([^\"]*)\"", Pattern.MULTILINE)
            .matcher(Files.readString(folder.resolve("make/bodies.json")));
        String pem = Files.readString(folder.resolve("keys/rsa-1024-private.pem"));
        byte[] der = Base64.getMimeDecoder().decode(pem.replaceAll("-----[^-]*-----", ""));
        PrivateKey key = KeyFactory.getInstance("RSA").generatePrivate(new PKCS8EncodedKeySpec(der));
        List<String> vectors = new ArrayList<>();
        for (int number = 0; bodies.find(); number++) {
            for (String[] kind : new String[][] {
                {"fluent", "SHA512withRSA", "fluent-signature"}, {"fluent-legacy-md5", "MD5withRSA", "flex.signature"},
            }) {
                Signature signature = Signature.getInstance(kind[1]);
                signature.initSign(key);
                signature.update(Base64.getDecoder().decode(bodies.group(1)));
                vectors.add(String.format(
                    "  {\"name\": \"%s %d\", \"sender\": \"%s\", \"keys\": [{\"id\": \"k\", \"public_key\": "
                    + "\"keys/rsa-1024-public.pem\"}], \"headers\": [[\"%s\", \"%s\"]], \"body_base64\": \"%s\", "
                    + "\"verified_by\": \"k\"}",
                    kind[1], number, kind[0], kind[2],
                    Base64.getEncoder().encodeToString(signature.sign()), bodies.group(1)));
            }
        }
        System.out.printf("{\"provenance\": \"Java %s: java tests/vectors/make/Java.java\", \"vectors\": [%n%s%n]}%n",
            System.getProperty("java.version"), String.join(",\n", vectors));
    }
}
