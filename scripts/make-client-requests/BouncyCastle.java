// Certificate requests of BouncyCastle, as its users make them: JcaPKCS10CertificationRequestBuilder.

import java.io.FileWriter;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import org.bouncycastle.asn1.DERPrintableString;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.ExtensionsGenerator;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequestBuilder;

public class BouncyCastle {
    public static void main(String[] arguments) throws Exception {
        make(arguments[0], "bouncycastle-rsa", "RSA", 2048, "SHA256withRSA");
        make(arguments[0], "bouncycastle-p256", "EC", 256, "SHA256withECDSA");
        make(arguments[0], "bouncycastle-rsa-pss-signature", "RSA", 2048, "SHA256withRSAandMGF1");
    }

    static void make(String folder, String name, String kind, int bits, String algorithm) throws Exception {
        java.security.Security.addProvider(new org.bouncycastle.jce.provider.BouncyCastleProvider());
        KeyPairGenerator generator = KeyPairGenerator.getInstance(kind, "BC");
        generator.initialize(bits);
        KeyPair pair = generator.generateKeyPair();
        var builder = new JcaPKCS10CertificationRequestBuilder(new X500Name("C=DE,O=Contoso,CN=Zoë Müller,E=zoe@example.org"), pair.getPublic());
        ExtensionsGenerator extensions = new ExtensionsGenerator();
        extensions.addExtension(Extension.subjectAlternativeName, false,
            new GeneralNames(new GeneralName(GeneralName.dNSName, "host.example.org")));
        builder.addAttribute(PKCSObjectIdentifiers.pkcs_9_at_extensionRequest, extensions.generate());
        builder.addAttribute(PKCSObjectIdentifiers.pkcs_9_at_challengePassword, new DERPrintableString("secret"));
        var request = builder.build(new JcaContentSignerBuilder(algorithm).setProvider("BC").build(pair.getPrivate()));
        try (JcaPEMWriter writer = new JcaPEMWriter(new FileWriter(Path.of(folder, name + ".pem").toFile()))) {
            writer.writeObject(request);
        }
        // Without attributes: the builder then writes an empty set, or with this setting no field at all.
        if (algorithm.equals("SHA256withRSA")) {
            var bare = new JcaPKCS10CertificationRequestBuilder(new X500Name("CN=x"), pair.getPublic()).setLeaveOffEmptyAttributes(true)
                .build(new JcaContentSignerBuilder(algorithm).setProvider("BC").build(pair.getPrivate()));
            try (JcaPEMWriter writer = new JcaPEMWriter(new FileWriter(Path.of(folder, name + "-without-attributes.pem").toFile()))) {
                writer.writeObject(bare);
            }
        }
    }
}
