//! What the values of an evaluation are independent samples of: songs, singers, or recordings.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::bootstrap::Clusters;

/// What intervals resample before they resample what belongs to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// All that is of one song belongs together.
    Song,
    /// All that is of one singer belongs together.
    Singer,
    /// Every recording stands for itself.
    Recording,
}

impl Unit {
    /// The word for so many of them.
    pub fn noun(self, count: usize) -> &'static str {
        match (self, count) {
            (Unit::Song, 1) => "song",
            (Unit::Song, _) => "songs",
            (Unit::Singer, 1) => "singer",
            (Unit::Singer, _) => "singers",
            (Unit::Recording, 1) => "recording",
            (Unit::Recording, _) => "recordings",
        }
    }
}

/// The units of some values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Units {
    /// What they are.
    pub unit: Unit,
    /// How many.
    #[serde(rename = "units", serialize_with = "count")]
    pub clusters: Clusters,
}

fn count<S: serde::Serializer>(clusters: &Clusters, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(clusters.len() as u64)
}

impl Units {
    /// The units of hums, each told by its song and, where the data set names them, its singer: whichever of the two there are fewer of, as
    /// these are what the set can say least about.
    pub fn of_hums<'a>(hums: impl IntoIterator<Item = (&'a str, Option<&'a str>)>) -> Self {
        let (songs, singers): (Vec<&str>, Vec<Option<&str>>) = hums.into_iter().unzip();
        let count = |names: &[&str]| names.iter().collect::<HashSet<_>>().len();
        match singers.into_iter().collect::<Option<Vec<&str>>>() {
            Some(singers) if count(&singers) < count(&songs) => Units { unit: Unit::Singer, clusters: Clusters::of(singers) },
            _ => Units { unit: Unit::Song, clusters: Clusters::of(songs) },
        }
    }

    /// The units of recordings, from the names that data sets give to these (without folder and extension): clips of MIR-1K
    /// (`singer_song_clip`) go by singer, those of iKala (`12345_verse`, `12345_chorus`) by song, all others stand for themselves. Where several
    /// data sets are mixed, the unit is called a recording.
    pub fn of_recordings<'a>(stems: impl IntoIterator<Item = &'a str>) -> Self {
        let (units, names): (Vec<Unit>, Vec<&str>) = stems.into_iter().map(of_recording).unzip();
        let first = units.first().copied().filter(|first| units.iter().all(|unit| unit == first));
        Units { unit: first.unwrap_or(Unit::Recording), clusters: Clusters::of(names) }
    }

    /// Such as `600 hums of 6 songs`.
    pub fn describe(&self, values: usize, what: &str) -> String {
        let units = self.clusters.len();
        match self.unit {
            Unit::Recording if units == values => format!("{values} {what}"),
            unit => format!("{values} {what} of {units} {}", unit.noun(units)),
        }
    }
}

/// What a recording of this name is one of, and the name of that.
fn of_recording(stem: &str) -> (Unit, &str) {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let parts: Vec<&str> = stem.split('_').collect();
    match parts[..] {
        [singer, song, clip] if is_number(song) && is_number(clip) && !singer.bytes().any(|b| b.is_ascii_digit()) => {
            (Unit::Singer, singer)
        }
        [song, "verse" | "chorus"] if is_number(song) => (Unit::Song, song),
        _ => (Unit::Recording, stem),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scarcer_of_songs_and_singers_is_the_unit() {
        let hums = |singers: [Option<&'static str>; 4]| Units::of_hums(["a", "a", "b", "c"].into_iter().zip(singers));
        let units = hums([Some("x"), Some("y"), Some("x"), Some("x")]);
        assert_eq!((units.unit, units.clusters.len()), (Unit::Singer, 2));
        assert_eq!(units.describe(4, "queries"), "4 queries of 2 singers");
        for singers in [[None; 4], [Some("x"), None, Some("y"), Some("x")], [Some("x"), Some("y"), Some("z"), Some("w")]] {
            let units = hums(singers);
            assert_eq!((units.unit, units.clusters.len()), (Unit::Song, 3), "{singers:?}");
        }
        let json = serde_json::to_value(hums([None; 4])).unwrap();
        assert_eq!(json, serde_json::json!({ "unit": "song", "units": 3 }));
    }

    #[test]
    fn clips_go_by_their_singer_or_song() {
        let mir1k = Units::of_recordings(["abjones_1_01", "abjones_2_03", "amy_1_01"]);
        assert_eq!((mir1k.unit, mir1k.clusters.len()), (Unit::Singer, 2));
        let ikala = Units::of_recordings(["10161_chorus", "10161_verse", "54211_verse"]);
        assert_eq!((ikala.unit, ikala.clusters.len()), (Unit::Song, 2));
        let others = Units::of_recordings(["daisy1", "train01", "vocadito_1", "My_Song_01"]);
        assert_eq!((others.unit, others.clusters.len()), (Unit::Recording, 4));
        assert_eq!(others.describe(4, "recordings"), "4 recordings");
        let mixed = Units::of_recordings(["abjones_1_01", "abjones_1_02", "daisy1"]);
        assert_eq!((mixed.unit, mixed.clusters.len()), (Unit::Recording, 2));
    }
}
