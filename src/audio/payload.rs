//! What a recording sounds like, without decoding it: a hash of its coded sound. Tags, pictures and the container around it do not
//! count, so that a file is the same recording after it was renamed or re-tagged.

use symphonia::core::errors::Error;
use symphonia::core::formats::TrackType;
use xxhash_rust::xxh3::Xxh3;

use super::AudioError;
use super::container::{self, Source};
use super::decode::guard;
use super::tags::{self, Tags};

/// The hash of all packets of the recording's track, and its tags. A recording cut short gives the hash of what is there.
pub(super) fn identify(source: Source) -> Result<(u128, Tags), AudioError> {
    guard(|| {
        let plan = container::plan(source)?;
        let mut ways = plan.ways.iter().map(|way| container::open(source, way));
        let first = ways.next().unwrap_or(Err(AudioError::NoAudioTrack));
        let mut format = first.or_else(|error| ways.find_map(Result::ok).ok_or(error))?.format;
        let default = format.default_track(TrackType::Audio).map(|t| t.id);
        let mut track = default.ok_or(AudioError::NoAudioTrack)?;
        let mut hash = Xxh3::new();
        loop {
            match format.next_packet() {
                Ok(Some(packet)) if packet.track_id == track => hash.update(&packet.data),
                Ok(Some(_)) => {}
                // A chained stream begins anew.
                Err(Error::ResetRequired) => {
                    track = format.default_track(TrackType::Audio).map(|t| t.id).ok_or(AudioError::NoAudioTrack)?;
                }
                Ok(None) | Err(_) => break,
            }
        }
        Ok((hash.digest128(), plan.texts.tags().or(tags::collect(format.metadata(), track))))
    })
}
