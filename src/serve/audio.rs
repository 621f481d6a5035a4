//! `GET /v1/songs/{id}/audio`: the song's own file, in ranges. Nothing but files of songs in the index, and those by number.

use super::app::App;
use super::body::Id;
use super::refusal::Refusal;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::path::Path;
use std::sync::Arc;
use tower_http::services::ServeFile;

/// Media types of recordings by their extension: what browsers are told; not all of them play all.
const MEDIA_TYPES: [(&str, &str); 27] = [
    ("3gp", "audio/3gpp"),
    ("aac", "audio/aac"),
    ("adts", "audio/aac"),
    ("aif", "audio/aiff"),
    ("aifc", "audio/aiff"),
    ("aiff", "audio/aiff"),
    ("alac", "audio/mp4"),
    ("caf", "audio/x-caf"),
    ("flac", "audio/flac"),
    ("m4a", "audio/mp4"),
    ("m4b", "audio/mp4"),
    ("m4r", "audio/mp4"),
    ("mka", "audio/x-matroska"),
    ("mkv", "video/x-matroska"),
    ("mov", "video/quicktime"),
    ("mp1", "audio/mpeg"),
    ("mp2", "audio/mpeg"),
    ("mp3", "audio/mpeg"),
    ("mp4", "video/mp4"),
    ("mpa", "audio/mpeg"),
    ("mpga", "audio/mpeg"),
    ("oga", "audio/ogg"),
    ("ogg", "audio/ogg"),
    ("opus", "audio/ogg"),
    ("wav", "audio/wav"),
    ("wave", "audio/wav"),
    ("webm", "video/webm"),
];

/// The media type of a recording, by its extension; `None` for scores and pitch files.
fn media_type(path: &Path) -> Option<&'static str> {
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    MEDIA_TYPES.iter().find(|(known, _)| *known == extension).map(|(_, media)| *media)
}

/// The recording of a song. `Range` is answered with 206.
#[utoipa::path(get, path = "/v1/songs/{id}/audio", params(("id" = u64, Path, description = "Number of the song")), responses(
    (status = 200, description = "All of the file", content_type = "audio/*"),
    (status = 206, description = "The part that was asked for", content_type = "audio/*"),
    (status = 401, body = Refusal),
    (status = 404, description = "No such song, no recording, or its file is gone", body = Refusal),
    (status = 416, description = "A range beyond the end", body = Refusal),
))]
pub async fn audio(State(app): State<Arc<App>>, Id(id): Id, request: Request) -> Result<Response, Refusal> {
    let (_, _, song) = app.song(id)?;
    let path = Path::new(&song.file);
    let Some(media) = media_type(path) else {
        return Err(Refusal::not_found("this song is a score, without sound", "GET /v1/songs/{id}/contour tells its melody"));
    };
    let gone = || Refusal::not_found("the file of this song is not where it was", "index its folder again");
    // A pipe or a device in its place would never end.
    if !tokio::fs::metadata(path).await.is_ok_and(|file| file.is_file()) {
        return Err(gone());
    }
    let response = ServeFile::new(path).try_call(request).await.map_err(|_| gone())?;
    match response.status() {
        StatusCode::RANGE_NOT_SATISFIABLE => {
            let refusal =
                Refusal::new(StatusCode::RANGE_NOT_SATISFIABLE, "the file has no such range", "ask for one range within it");
            let mut refused = refusal.into_response();
            if let Some(range) = response.headers().get(header::CONTENT_RANGE) {
                refused.headers_mut().insert(header::CONTENT_RANGE, range.clone());
            }
            Ok(refused)
        }
        StatusCode::NOT_FOUND => Err(gone()),
        _ => {
            let mut response = response.map(Body::new);
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
            response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=3600"));
            Ok(response)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_have_no_media_type() {
        assert_eq!(media_type(Path::new("/music/Song.MP3")), Some("audio/mpeg"));
        for path in ["/music/song.mid", "/music/song", "/etc/passwd", "/music/song.txt"] {
            assert_eq!(media_type(Path::new(path)), None, "{path}");
        }
    }
}
