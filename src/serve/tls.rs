//! Encryption: a certificate of the user's, or one that is made at the start and signed by itself.

use super::error::ServeError;
use ring::digest::{SHA256, digest};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// How connections are encrypted.
#[derive(Debug, Clone)]
pub enum Tls {
    /// With a certificate (its chain, PEM) and its key (PEM).
    Files {
        /// The chain.
        certificate: PathBuf,
        /// The key.
        key: PathBuf,
    },
    /// With a certificate that is made now.
    SelfSigned,
}

/// What encrypts connections, and the SHA-256 fingerprint of the certificate if it was made here. `names` are those of this server.
pub fn acceptor(tls: &Tls, listen: SocketAddr, names: &[String]) -> Result<(TlsAcceptor, Option<String>), ServeError> {
    let (chain, key, made) = match tls {
        Tls::Files { certificate, key } => (chain(certificate)?, private_key(key)?, false),
        Tls::SelfSigned => {
            let (certificate, key) = self_signed(listen, names).map_err(|error| ServeError::Tls(error.to_string()))?;
            (vec![certificate], key, true)
        }
    };
    let fingerprint = made.then(|| fingerprint(&chain[0]));
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key));
    let mut config = config.map_err(|error| ServeError::Tls(format!("certificate and key do not fit together ({error})")))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((TlsAcceptor::from(Arc::new(config)), fingerprint))
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, ServeError> {
    let unreadable = |error: &dyn std::fmt::Display| ServeError::Tls(format!("{} holds no certificate: {error}", path.display()));
    let chain = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match chain {
        Ok(chain) if chain.is_empty() => Err(unreadable(&"no -----BEGIN CERTIFICATE-----")),
        chain => chain.map_err(|error| unreadable(&error)),
    }
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, ServeError> {
    PrivateKeyDer::from_pem_file(path)
        .map_err(|error| ServeError::Tls(format!("{} holds no private key: {error}", path.display())))
}

fn self_signed(listen: SocketAddr, names: &[String]) -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>), rcgen::Error> {
    let mut known: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into();
    known.extend(names.iter().cloned());
    known.extend(addresses(listen).into_iter().map(|address| address.to_string()));
    let certified = rcgen::generate_simple_self_signed(known)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der()));
    Ok((certified.cert.der().clone(), key))
}

/// The addresses by which others reach this machine when it listens at `listen`, as far as they are known.
pub fn addresses(listen: SocketAddr) -> Vec<IpAddr> {
    if !listen.ip().is_unspecified() {
        return vec![listen.ip()];
    }
    // Nothing is sent: the system only chooses the address it would send from. The other end is reserved for documentation.
    let outward = UdpSocket::bind((listen.ip(), 0)).and_then(|socket| {
        socket.connect(if listen.is_ipv4() { "192.0.2.1:9" } else { "[2001:db8::1]:9" })?;
        socket.local_addr()
    });
    outward.map(|address| address.ip()).into_iter().filter(|ip| !ip.is_unspecified()).collect()
}

/// As browsers show it: `AB:CD:...`.
fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    let hash = digest(&SHA256, certificate);
    hash.as_ref().iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
}
