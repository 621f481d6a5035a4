//! What is searched now: one state of the library, replaced as a whole when another is published.

use super::limits::RETRY_AFTER;
use super::refusal::Refusal;
use crate::library::naming::{plain, title};
use crate::search::Searcher;
use qbh_index::{Snapshot, Song};
use qbh_models::embedder::Embedder;
use qbh_models::extractor::Extractor;
use qbh_models::reranker::Reranker;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::Duration;

/// How often it is looked whether another state was published.
const LOOK: Duration = Duration::from_millis(500);

/// Opens networks by name. Errors are sentences with their remedy.
pub trait Models: Send + Sync {
    /// An extractor; without a name, the one that new indexes are made with.
    fn extractor(&self, name: Option<&str>) -> Result<Box<dyn Extractor>, String>;
    /// An embedder; without a name, the one that new indexes are made with.
    fn embedder(&self, name: Option<&str>) -> Result<Box<dyn Embedder>, String>;
    /// The reranker.
    fn reranker(&self) -> Result<Reranker, String>;
}

/// Where the library is that is searched.
pub trait Source: Send + Sync {
    /// Opens its present state. Errors are sentences with their remedy.
    fn open(&self) -> Result<Snapshot, String>;
    /// Differs when there is another state than before; `None` if there is none at all.
    fn stamp(&self) -> Option<u128>;
}

/// A state of the library, and the networks that search it.
pub struct Opened {
    /// The state.
    pub snapshot: Snapshot,
    embedder: Mutex<Box<dyn Embedder>>,
    extractor: Mutex<Box<dyn Extractor>>,
    models: Arc<dyn Models>,
    /// Listed when first asked for.
    listed: OnceLock<Vec<Entry>>,
}

/// A song as it is listed.
pub struct Entry {
    /// Its ordinal in the snapshot.
    pub ordinal: u32,
    /// What it is found by, see [`plain`].
    pub text: String,
}

/// A searcher and an extractor for one thread.
pub struct Desk {
    /// Whose they are.
    pub opened: Arc<Opened>,
    /// The searcher.
    pub searcher: Searcher,
    /// What hums are heard with.
    pub extractor: Box<dyn Extractor>,
}

impl Opened {
    fn new(snapshot: Snapshot, models: Arc<dyn Models>) -> Result<Opened, String> {
        let made_with = snapshot.fingerprint();
        let extractor = models.extractor(Some(&made_with.extractor.name))?;
        let embedder = models.embedder(Some(&made_with.embedder.name))?;
        let wanted = crate::library::indexer::fingerprint(&made_with.extractor, &*embedder);
        snapshot.check_models(&wanted).map_err(|error| error.to_string())?;
        Ok(Opened { embedder: Mutex::new(embedder), extractor: Mutex::new(extractor), models, snapshot, listed: OnceLock::new() })
    }

    /// What a thread needs to search it.
    pub fn desk(self: &Arc<Self>) -> Result<Desk, Refusal> {
        let reranker = self.models.reranker().map_err(Refusal::fault)?;
        let embedder = self.embedder.lock().unwrap_or_else(PoisonError::into_inner).fork();
        let extractor = self.extractor.lock().unwrap_or_else(PoisonError::into_inner).fork();
        let searcher = Searcher::new(self.snapshot.clone(), embedder, Some(reranker));
        Ok(Desk { opened: Arc::clone(self), searcher, extractor })
    }

    /// All songs, in the order of their titles.
    pub fn listed(&self) -> Result<&[Entry], qbh_index::Error> {
        if let Some(listed) = self.listed.get() {
            return Ok(listed);
        }
        let named = |(song, ordinal): (Result<Song, qbh_index::Error>, u32)| {
            let song = song?;
            let tags = [&song.tags.artist, &song.tags.album].map(|tag| tag.as_deref().unwrap_or_default());
            let text = plain(&format!("{} {} {} {}", title(&song), tags[0], tags[1], song.key));
            Ok(Entry { ordinal, text })
        };
        let mut listed = self.snapshot.songs().zip(0..).map(named).collect::<Result<Vec<Entry>, qbh_index::Error>>()?;
        listed.sort_by(|a, b| a.text.cmp(&b.text));
        Ok(self.listed.get_or_init(|| listed))
    }
}

/// The state that is searched now.
pub struct Catalogue {
    source: Box<dyn Source>,
    models: Arc<dyn Models>,
    now: RwLock<Result<Arc<Opened>, Refusal>>,
}

impl Catalogue {
    /// Of a source, which need not have anything yet.
    pub fn new(source: Box<dyn Source>, models: Arc<dyn Models>) -> Catalogue {
        let waiting = Refusal::not_ready("the library is being opened", format!("try again in {RETRY_AFTER} s"));
        Catalogue { source, models, now: RwLock::new(Err(waiting)) }
    }

    /// What is searched now.
    pub fn now(&self) -> Result<Arc<Opened>, Refusal> {
        self.now.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Opens the present state; on failure, the one before stays. Says why it failed.
    pub fn reload(&self) -> Result<(), String> {
        let opened = self.source.open().and_then(|snapshot| Opened::new(snapshot, Arc::clone(&self.models)));
        let mut now = self.now.write().unwrap_or_else(PoisonError::into_inner);
        match opened {
            Ok(opened) => {
                *now = Ok(Arc::new(opened));
                Ok(())
            }
            Err(reason) => {
                if now.is_err() {
                    *now = Err(Refusal::not_ready(reason.clone(), "start the server with --library, or run qbh index"));
                }
                Err(reason)
            }
        }
    }

    /// Follows the source for ever; `seen` is called with each new state.
    pub async fn follow(self: Arc<Self>, seen: impl Fn(&Opened) + Send + 'static) {
        let mut stamp = None;
        loop {
            let catalogue = Arc::clone(&self);
            let last = stamp;
            let looked = tokio::task::spawn_blocking(move || {
                let now = catalogue.source.stamp();
                if now == last || now.is_none() {
                    return (now, false);
                }
                match catalogue.reload() {
                    Ok(()) => (now, true),
                    Err(reason) => {
                        tracing::warn!(reason, "the library could not be opened");
                        (now, false)
                    }
                }
            });
            if let Ok((now, changed)) = looked.await {
                stamp = now;
                if let (true, Ok(opened)) = (changed, self.now()) {
                    tracing::info!(songs = opened.snapshot.len(), "library opened");
                    seen(&opened);
                }
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}
