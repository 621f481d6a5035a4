//! `qbh serve` over TLS: with a certificate of the user's, and with one that it makes itself.
#![cfg(feature = "serve")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod util;

use std::io::Write;
use std::sync::{Arc, Mutex};
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, RootCertStore, SignatureScheme, StreamOwned,
};
use util::server::{Answer, Server, read_answer};
use util::{Dir, melody, midi};

fn library() -> Dir {
    let dir = Dir::new();
    dir.add("song.mid", midi(&melody(1, 60)));
    dir.ok(&["index", "library"]);
    dir
}

/// Asks for the health of a server that speaks TLS.
fn health(server: &Server, config: ClientConfig) -> Answer {
    let connection = ClientConnection::new(Arc::new(config), ServerName::try_from("localhost").unwrap()).unwrap();
    let mut stream = StreamOwned::new(connection, server.connect());
    write!(stream, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    read_answer(stream)
}

fn client() -> tokio_rustls::rustls::ConfigBuilder<ClientConfig, tokio_rustls::rustls::WantsVerifier> {
    ClientConfig::builder_with_provider(Arc::new(default_provider())).with_safe_default_protocol_versions().unwrap()
}

#[test]
fn with_a_certificate_of_the_users() {
    let dir = library();
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(dir.path("cert.pem"), certified.cert.pem()).unwrap();
    std::fs::write(dir.path("key.pem"), certified.signing_key.serialize_pem()).unwrap();
    let server = Server::start(&dir, &["--tls-cert", "cert.pem", "--tls-key", "key.pem"]);
    assert!(server.said().contains("https://"));
    let mut roots = RootCertStore::empty();
    roots.add(certified.cert.der().clone()).unwrap();
    assert_eq!(health(&server, client().with_root_certificates(roots).with_no_client_auth()).status, 200);
    // Who does not speak TLS is not understood, and harms nobody.
    let mut plain = server.connect();
    write!(plain, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut said = Vec::new();
    let _ = std::io::Read::read_to_end(&mut plain, &mut said);
    assert!(!said.starts_with(b"HTTP"), "{said:?}");

    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(dir.path("other.pem"), other.signing_key.serialize_pem()).unwrap();
    for (certificate, key) in
        [("cert.pem", "other.pem"), ("key.pem", "key.pem"), ("cert.pem", "cert.pem"), ("missing", "key.pem")]
    {
        let ran = dir.run(&["serve", "--listen", "127.0.0.1:0", "--tls-cert", certificate, "--tls-key", key]);
        assert!(ran.status == 2 && ran.stderr.contains("--tls-cert"), "{certificate} {key}: {}", ran.stderr);
    }
}

/// Trusts everybody, and remembers the certificate.
#[derive(Debug, Default)]
struct Witness(Mutex<Vec<u8>>);

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        *self.0.lock().unwrap() = certificate.to_vec();
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        default_provider().signature_verification_algorithms.supported_schemes()
    }
}

#[test]
fn with_one_that_it_makes_and_whose_fingerprint_it_prints() {
    let dir = library();
    let server = Server::start(&dir, &["--tls-self-signed"]);
    let witness = Arc::new(Witness::default());
    let config = client().dangerous().with_custom_certificate_verifier(witness.clone()).with_no_client_auth();
    assert_eq!(health(&server, config).status, 200);
    let hash = ring::digest::digest(&ring::digest::SHA256, &witness.0.lock().unwrap());
    let fingerprint = hash.as_ref().iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":");
    assert!(server.said().contains(&fingerprint), "{} {fingerprint}", server.said());
}
