// Certificate requests of node-forge 1.4.3, PKI.js with asn1js, @peculiar/x509 and jsrsasign, in the way of their own examples.
const fs = require("fs");
const path = require("path");
const out = process.argv[2];
const write = (name, text) => fs.writeFileSync(path.join(out, name + ".pem"), text.trim() + "\n");
const armour = (der) =>
  "-----BEGIN CERTIFICATE REQUEST-----\n" + Buffer.from(der).toString("base64").match(/.{1,64}/g).join("\n") +
  "\n-----END CERTIFICATE REQUEST-----";

function forge() {
  const forge = require("node-forge");
  const keys = forge.pki.rsa.generateKeyPair(2048);
  const csr = forge.pki.createCertificationRequest();
  csr.publicKey = keys.publicKey;
  csr.setSubject([
    { name: "commonName", value: "example.org" },
    { name: "countryName", value: "US" },
    { shortName: "ST", value: "Virginia" },
    { name: "localityName", value: "Blacksburg" },
    { name: "organizationName", value: "Test_& Co" },
    { shortName: "OU", value: "Zo\u00eb" },
  ]);
  csr.setAttributes([
    { name: "challengePassword", value: "password" },
    { name: "unstructuredName", value: "My Company, Inc." },
    { name: "extensionRequest", extensions: [{ name: "subjectAltName", altNames: [{ type: 2, value: "localhost" }] }] },
  ]);
  csr.sign(keys.privateKey, forge.md.sha256.create());
  write("node-forge-rsa", forge.pki.certificationRequestToPem(csr));
}

async function pkijs(name, algorithm) {
  const { webcrypto } = require("crypto");
  const pkijs = require("pkijs");
  const asn1js = require("asn1js");
  pkijs.setEngine("node", new pkijs.CryptoEngine({ name: "node", crypto: webcrypto }));
  const pkcs10 = new pkijs.CertificationRequest();
  pkcs10.version = 0;
  const add = (type, value) => pkcs10.subject.typesAndValues.push(new pkijs.AttributeTypeAndValue({ type, value }));
  add("2.5.4.6", new asn1js.PrintableString({ value: "RU" }));
  add("2.5.4.3", new asn1js.Utf8String({ value: "Zo\u00eb M\u00fcller" }));
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  await pkcs10.subjectPublicKeyInfo.importKey(keys.publicKey);
  if (!name.includes("without")) {
    const names = new pkijs.GeneralNames({ names: [new pkijs.GeneralName({ type: 2, value: "www.example.org" })] });
    pkcs10.attributes = [];
    pkcs10.attributes.push(new pkijs.Attribute({
      type: "1.2.840.113549.1.9.14",
      values: [new pkijs.Extensions({ extensions: [
        new pkijs.Extension({ extnID: "2.5.29.17", critical: false, extnValue: names.toSchema().toBER(false) }),
      ] }).toSchema()],
    }));
    pkcs10.attributes.push(new pkijs.Attribute({
      type: "1.2.840.113549.1.9.7", values: [new asn1js.PrintableString({ value: "passwordChallenge" })],
    }));
  }
  await pkcs10.sign(keys.privateKey, "SHA-256");
  write(name, armour(pkcs10.toSchema().toBER(false)));
}

async function peculiar(name, algorithm) {
  require("reflect-metadata");
  const x509 = require("@peculiar/x509");
  const { webcrypto } = require("crypto");
  x509.cryptoProvider.set(webcrypto);
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const csr = await x509.Pkcs10CertificateRequestGenerator.create({
    name: "CN=Zo\u00eb M\u00fcller, O=Contoso, E=zoe@example.org",
    keys,
    signingAlgorithm: algorithm,
    extensions: [new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature)],
    attributes: [new x509.ChallengePasswordAttribute("password")],
  });
  write(name, csr.toString("pem"));
}

function jsrsasign(name, kind, parameter, sigalg) {
  const jsrsasign = require("jsrsasign");
  const keys = jsrsasign.KEYUTIL.generateKeypair(kind, parameter);
  const csr = new jsrsasign.KJUR.asn1.csr.CertificationRequest({
    subject: { str: "/C=US/O=Test_Co/CN=Zo\u00eb" },
    sbjpubkey: keys.pubKeyObj,
    extreq: [{ extname: "subjectAltName", array: [{ dns: "example.com" }] }],
    sigalg,
    sbjprvkey: keys.prvKeyObj,
  });
  write(name, csr.getPEM());
}

(async () => {
  const rsa = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", publicExponent: new Uint8Array([1, 0, 1]), modulusLength: 2048 };
  const curve = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  forge();
  await pkijs("pkijs-rsa", rsa);
  await pkijs("pkijs-rsa-without-attributes", rsa);
  await pkijs("pkijs-p256", curve);
  await pkijs("pkijs-rsa-pss-signature", { ...rsa, name: "RSA-PSS" });
  await peculiar("peculiar-x509-rsa", rsa);
  await peculiar("peculiar-x509-p256", curve);
  jsrsasign("jsrsasign-rsa", "RSA", 2048, "SHA256withRSA");
  jsrsasign("jsrsasign-p256", "EC", "secp256r1", "SHA256withECDSA");
})();
