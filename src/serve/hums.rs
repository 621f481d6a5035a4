//! `POST /v1/hums`: a hum and which song it was, kept for `qbh train --pairs` and `qbh eval`. Only where a folder was named for it.

use super::app::App;
use super::body::{Params, Received};
use super::limits::KEPT_BYTES;
use super::query::hear;
use super::refusal::Refusal;
use axum::extract::State;
use axum::http::StatusCode;
use ring::rand::{SecureRandom, SystemRandom};
use serde::Deserialize;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// Hums and their songs, with the header `query,song`.
const PAIRS: &str = "hums.csv";
/// Hums of songs that are not in the library, with the header `query`.
const STRAYS: &str = "none.csv";

/// Where hums are kept.
pub struct Keeper {
    folder: PathBuf,
    /// Bytes in it.
    kept: Mutex<u64>,
}

impl Keeper {
    /// Keeps hums in a folder, which is made if need be.
    pub fn new(folder: &Path) -> std::io::Result<Keeper> {
        std::fs::create_dir_all(folder)?;
        let sizes = std::fs::read_dir(folder)?.flatten().filter_map(|entry| Some(entry.metadata().ok()?.len()));
        Ok(Keeper { kept: Mutex::new(sizes.sum()), folder: folder.to_path_buf() })
    }

    /// Keeps a hum, and the key of its song if it has one. The table is written last: what it names is there.
    fn keep(&self, hum: &[u8], extension: &str, song: Option<&str>) -> std::io::Result<()> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if *kept + hum.len() as u64 > KEPT_BYTES {
            return Err(std::io::ErrorKind::QuotaExceeded.into());
        }
        let name = format!("hum-{}.{extension}", unique()?);
        let mut file = File::create_new(self.folder.join(&name))?;
        file.write_all(hum)?;
        file.sync_all()?;
        *kept += hum.len() as u64;
        let (table, header) = if song.is_some() { (PAIRS, &["query", "song"][..]) } else { (STRAYS, &["query"][..]) };
        let file = OpenOptions::new().create(true).append(true).open(self.folder.join(table))?;
        let empty = file.metadata()?.len() == 0;
        let mut writer = csv::Writer::from_writer(file);
        if empty {
            writer.write_record(header)?;
        }
        writer.write_record([Some(name.as_str()), song].into_iter().flatten())?;
        writer.into_inner().map_err(|error| std::io::Error::other(error.to_string()))?.sync_all()
    }
}

/// A name that no other hum has, in the order of time.
fn unique() -> std::io::Result<String> {
    let mut random = [0; 4];
    SystemRandom::new().fill(&mut random).map_err(|_| std::io::Error::other("no random numbers"))?;
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    Ok(format!("{seconds}-{:08x}", u32::from_le_bytes(random)))
}

/// What a hum was.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct KeepParams {
    /// Number of the song that was hummed; left out if it is none of the library
    song: Option<u64>,
    /// Name of the file, of which the extension is kept
    name: Option<String>,
}

/// Keeps a hum and which song it was.
#[utoipa::path(post, path = "/v1/hums", params(KeepParams),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "The hum as it was searched"),
    responses(
        (status = 204, description = "Kept"),
        (status = 401, body = Refusal),
        (status = 404, description = "No such song, or the server keeps no hums", body = Refusal),
        (status = 413, body = Refusal),
        (status = 422, description = "No tune in it", body = Refusal),
        (status = 503, body = Refusal),
        (status = 507, description = "No room", body = Refusal),
    ))]
pub async fn keep(
    State(app): State<Arc<App>>,
    Params(params): Params<KeepParams>,
    Received(bytes): Received,
) -> Result<StatusCode, Refusal> {
    let Some(keeper) = app.keeper.clone() else {
        return Err(Refusal::not_found("this server keeps no hums", "start it with --keep-hums DIR"));
    };
    let song = params.song.map(|id| app.song(id)).transpose()?.map(|(_, _, song)| song.key);
    let name = params.name.unwrap_or_default();
    let extension = extension(&name);
    // What cannot be heard teaches nothing.
    let heard = bytes.clone();
    app.pool.ask(move |desk| hear(heard, &name, desk).map(drop)).await??;
    let kept = tokio::task::spawn_blocking(move || keeper.keep(&bytes, &extension, song.as_deref())).await;
    match kept.unwrap_or_else(|error| Err(std::io::Error::other(error))) {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(error) => {
            tracing::warn!(%error, "a hum could not be kept");
            let remedy = "make room in the folder of --keep-hums";
            Err(Refusal::new(StatusCode::INSUFFICIENT_STORAGE, "the hum could not be kept", remedy))
        }
    }
}

/// The extension of a name, if it is a plain one.
fn extension(name: &str) -> String {
    let extension = Path::new(name).extension().and_then(|extension| extension.to_str()).unwrap_or_default().to_ascii_lowercase();
    let plain = (1..=8).contains(&extension.len()) && extension.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if plain { extension } else { "wav".into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_the_folder() {
        assert_eq!(
            ["hum.MP3", "../../x.wav", "a.b/c", "x.tar.gz", "", "a.\u{fc}", "a.\0"].map(extension),
            ["mp3", "wav", "wav", "gz", "wav", "wav", "wav"]
        );
    }

    #[test]
    fn hums_are_kept_in_tables() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("hums");
        let keeper = Keeper::new(&folder).unwrap();
        keeper.keep(b"one", "wav", Some("/music/a, b.mp3")).unwrap();
        keeper.keep(b"two", "wav", Some("/music/c.mp3")).unwrap();
        keeper.keep(b"three", "ogg", None).unwrap();
        let table = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
        let pairs = table(PAIRS);
        let rows: Vec<&str> = pairs.lines().collect();
        assert!(rows.len() == 3 && rows[0] == "query,song" && rows[1].ends_with(".wav,\"/music/a, b.mp3\""), "{pairs}");
        assert!(table(STRAYS).starts_with("query\nhum-"));
        assert_eq!(*Keeper::new(&folder).unwrap().kept.lock().unwrap() as usize, 11 + pairs.len() + table(STRAYS).len());
        *keeper.kept.lock().unwrap() = KEPT_BYTES;
        assert!(keeper.keep(b"x", "wav", None).is_err());
    }
}
