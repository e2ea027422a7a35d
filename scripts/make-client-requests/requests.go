// Certificate requests of Go's crypto/x509.
package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"os"
	"path/filepath"
)

func write(name string, key crypto.Signer) {
	template := x509.CertificateRequest{
		Subject:        pkix.Name{Country: []string{"DE"}, Organization: []string{"Contoso"}, CommonName: "Zoë Müller"},
		DNSNames:       []string{"host.example.org"},
		EmailAddresses: []string{"zoe@example.org"},
	}
	encoded, err := x509.CreateCertificateRequest(rand.Reader, &template, key)
	if err != nil {
		panic(err)
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: encoded})
	if err := os.WriteFile(filepath.Join(os.Args[1], name+".pem"), block, 0o644); err != nil {
		panic(err)
	}
}

func main() {
	first, _ := rsa.GenerateKey(rand.Reader, 2048)
	write("go-rsa", first)
	second, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	write("go-p256", second)
}
