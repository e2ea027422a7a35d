#!/usr/bin/env bash
# Make certificate requests with the programs that people use, one file a program and kind of key, into the folder $1.
#
# What it takes: Debian's openssl, gnutls-bin, libnss3-tools, default-jdk-headless, libbcpkix-java, golang-go, and nodejs with npm.
# The tests do not run it: they read what it made once. CLASSPATH names the jars of BouncyCastle, GO the compiler, NODE_PATH a
# folder with the packages that requests.cjs names, PYTHON one that has cryptography.
set -euo pipefail
out="$(realpath "$1")"
here="$(cd "$(dirname "$0")" && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"

subject="/C=DE/O=Contoso/OU=Straße 7/CN=Zoë Müller"
openssl req -new -newkey rsa:2048 -nodes -keyout key -utf8 -subj "$subject" -addext "subjectAltName=DNS:host.example.org" \
    -out "$out/openssl-rsa.pem" 2>/dev/null
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key -utf8 -subj "$subject" \
    -out "$out/openssl-p256.pem" 2>/dev/null
openssl req -new -newkey rsa:2048 -nodes -keyout key -subj "/CN=x" -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:-1 \
    -out "$out/openssl-rsa-pss-signature.pem" 2>/dev/null

cat > template <<'TEMPLATE'
cn = "Zoë Müller"
organization = "Contoso"
country = DE
email = "zoe@example.org"
challenge_password = "secret"
signing_key
TEMPLATE
certtool --generate-privkey --key-type rsa --bits 2048 --outfile key 2>/dev/null
certtool --generate-request --load-privkey key --template template --outfile "$out/certtool-rsa.pem" 2>/dev/null
certtool --generate-privkey --key-type ecdsa --curve secp256r1 --outfile key 2>/dev/null
certtool --generate-request --load-privkey key --template template --outfile "$out/certtool-p256.pem" 2>/dev/null

mkdir nss && certutil -N -d sql:nss --empty-password
head -c 4096 /dev/urandom > noise
certutil -R -d sql:nss -s "CN=Zoë Müller,O=Contoso,C=DE" -k rsa -g 2048 -z noise -a -8 host.example.org -o "$out/certutil-rsa.pem" 2>/dev/null
certutil -R -d sql:nss -s "CN=Zoë Müller,O=Contoso,C=DE" -k ec -q nistp256 -z noise -a -o "$out/certutil-p256.pem" 2>/dev/null

for kind in "RSA -keysize 2048" "EC -groupname secp256r1"; do
    name="$(echo "${kind%% *}" | tr '[:upper:]' '[:lower:]' | sed s/ec/p256/)"
    # shellcheck disable=SC2086
    keytool -genkeypair -alias "$name" -keyalg $kind -dname "CN=Zoë Müller, O=Contoso, C=DE" -keystore store -storepass secret7 2>/dev/null
    keytool -certreq -alias "$name" -keystore store -storepass secret7 -ext san=dns:host.example.org -file "$out/keytool-$name.pem" 2>/dev/null
done

javac -d . "$here/BouncyCastle.java"
java -cp ".:$CLASSPATH" BouncyCastle "$out"
cp "$here/requests.go" . && "${GO:-go}" run requests.go "$out"
node "$here/requests.cjs" "$out"
"${PYTHON:-python3}" "$here/windows.py" "$out"
