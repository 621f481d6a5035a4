//! `qbh serve`: the page and the HTTP API.

use super::context::Context;
use super::{Status, models, progress, select};
use anyhow::{Context as _, Result};
use qbh::serve::{self, Folders, Models, Settings, Source, Tls};
use qbh_index::Snapshot;
use qbh_models::Device;
use qbh_models::embedder::{DEFAULT_EMBEDDER, Embedder};
use qbh_models::extractor::{DEFAULT_EXTRACTOR, Extractor};
use qbh_models::reranker::{DEFAULT_RERANKER, Reranker};
use std::net::SocketAddr;
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;

/// Arguments of `qbh serve`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Open the address in a browser and hum. Programs ask the HTTP API (docs/http.md; /openapi.json).

Only this machine can reach the server unless --listen says otherwise, and then a token is asked for.

Ctrl-C and SIGTERM finish what runs, for at most 10 s. Exit status: 0 stopped, 2 an error.

Examples:
  qbh serve
  curl --data-binary @hum.wav http://127.0.0.1:7440/v1/query
  qbh serve --library ~/Music --watch
  qbh serve --listen 0.0.0.0:7440 --token-file token --tls-self-signed    for your phone")]
pub struct Args {
    /// Address and port to listen on; port 0 is any that is free
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7440")]
    listen: SocketAddr,
    /// File with a secret of at least 16 characters that everybody must know who asks
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Let everybody ask who can reach the server
    #[arg(long, conflicts_with = "token_file")]
    no_auth: bool,
    /// A name of this server, beside its addresses and localhost; requests by other names are refused
    #[arg(long = "host", value_name = "NAME")]
    names: Vec<String>,
    /// Certificate for HTTPS, with its chain (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_key", conflicts_with = "tls_self_signed")]
    tls_cert: Option<PathBuf>,
    /// Its private key (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// HTTPS with a certificate that is made now: for a phone in the same network, whose browser warns once
    #[arg(long)]
    tls_self_signed: bool,
    /// Index this folder in the background; can be given several times
    #[arg(long = "library", value_name = "DIR")]
    library: Vec<PathBuf>,
    /// Index what is new in these folders as soon as it is there
    #[arg(long, requires = "library")]
    watch: bool,
    /// Keep hums in this folder when somebody says which song they were, as qbh train --pairs and qbh eval read them
    #[arg(long, value_name = "DIR")]
    keep_hums: Option<PathBuf>,
    /// Hums to search at the same time [default: one per processor core]
    #[arg(long, value_name = "N")]
    workers: Option<NonZero<usize>>,
}

/// Serves until it is told to end.
pub fn run(args: &Args, context: &Context) -> Result<Status> {
    progress::log_panics();
    // What is wrong with the index is said now, and not to the first who hums.
    match select::snapshot(context) {
        Err(error) if args.library.is_empty() => return Err(error),
        opened => drop(opened),
    }
    let roots = args.library.iter().map(|path| path.canonicalize().with_context(|| path.display().to_string()));
    let paths = roots.collect::<Result<Vec<_>>>()?;
    let cores = std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN).get();
    let folders = (!paths.is_empty()).then(|| Folders {
        paths,
        index: context.index_dir.clone(),
        watch: args.watch,
        // Hums come first.
        jobs: cores.div_ceil(2),
    });
    let files = args.tls_cert.clone().zip(args.tls_key.clone()).map(|(certificate, key)| Tls::Files { certificate, key });
    let settings = Settings {
        listen: args.listen,
        source: Box::new(Folder(context.clone())),
        models: Arc::new(Named(context.clone())),
        token_file: args.token_file.clone(),
        no_auth: args.no_auth,
        names: args.names.clone(),
        tls: files.or_else(|| args.tls_self_signed.then_some(Tls::SelfSigned)),
        folders,
        keep_hums: args.keep_hums.clone(),
        workers: args.workers.map_or(cores, NonZero::get),
    };
    serve::run(settings, |sentence| context.say(sentence))?;
    Ok(Status::Done)
}

/// The index in a folder.
struct Folder(Context);

impl Source for Folder {
    fn open(&self) -> Result<Snapshot, String> {
        Snapshot::open(&self.0.index_dir).map_err(|error| error.to_string())
    }

    fn stamp(&self) -> Option<u128> {
        Snapshot::stamp(&self.0.index_dir)
    }
}

/// The networks that the command line knows.
struct Named(Context);

impl Models for Named {
    fn extractor(&self, name: Option<&str>) -> Result<Box<dyn Extractor>, String> {
        models::open_extractor(name.unwrap_or(DEFAULT_EXTRACTOR), &self.0, Device::Cpu).map_err(text)
    }

    fn embedder(&self, name: Option<&str>) -> Result<Box<dyn Embedder>, String> {
        models::open_embedder(name.unwrap_or(DEFAULT_EMBEDDER), &self.0, Device::Cpu).map_err(text)
    }

    fn reranker(&self) -> Result<Reranker, String> {
        models::open_reranker(DEFAULT_RERANKER, &self.0, Device::Cpu).map_err(text)
    }
}

fn text(error: anyhow::Error) -> String {
    format!("{error:#}")
}
