//! Which recordings of a folder have a reference, by the names that published data sets give to both.

use std::io;
use std::path::{Path, PathBuf};

use crate::library::walk::is_audio;

/// What follows the name of a recording in the name of its reference: plain names, then those of the published extractors,
/// vocadito, and MIREX05 and ADC2004.
const ENDINGS: [&str; 8] = [".txt", ".csv", ".f0", ".pv", ".pitch.txt", "_f0.csv", "REF.txt", ".tsv"];

/// MedleyDB: `NAME_MIX.wav` with `NAME_MELODY2.csv` (the melody over all instruments) or `NAME_MELODY1.csv` (the leading one).
const MEDLEYDB: (&str, [&str; 2]) = ("_MIX", ["_MELODY2.csv", "_MELODY1.csv"]);

/// The recordings of the folders, in order, each with the reference found beside it or in the folder `references`.
/// Recordings without one are left out.
pub fn with_references(folders: &[PathBuf], references: Option<&Path>) -> io::Result<Vec<(PathBuf, PathBuf)>> {
    let mut pairs = Vec::new();
    for folder in folders {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if is_audio(&path) && path.is_file() {
                let names = reference_names(&path.file_stem().unwrap_or_default().to_string_lossy());
                let reference = first_of(references.unwrap_or(folder), &names);
                pairs.extend(reference.map(|reference| (path, reference)));
            }
        }
    }
    pairs.sort();
    Ok(pairs)
}

/// The pitch file of a recording in a folder of another program's results: `NAME.txt` and the like, or `pitch_NAME.txt` as
/// `qbh pitch` writes them.
pub fn estimate_of(recording: &Path, folder: &Path) -> Option<PathBuf> {
    let stem = recording.file_stem().unwrap_or_default().to_string_lossy();
    let names: Vec<String> =
        ["", "pitch_"].iter().flat_map(|p| ["txt", "csv", "json", "f0", "pv"].map(|e| format!("{p}{stem}.{e}"))).collect();
    first_of(folder, &names)
}

fn reference_names(stem: &str) -> Vec<String> {
    let mut names: Vec<String> = ENDINGS.iter().map(|ending| format!("{stem}{ending}")).collect();
    if let Some(track) = stem.strip_suffix(MEDLEYDB.0) {
        names.extend(MEDLEYDB.1.iter().map(|ending| format!("{track}{ending}")));
    }
    names
}

fn first_of(folder: &Path, names: &[String]) -> Option<PathBuf> {
    names.iter().map(|name| folder.join(name)).find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_data_sets_are_paired() {
        let dir = tempfile::tempdir().unwrap();
        let make = |names: &[&str]| {
            for name in names {
                let path = dir.path().join(name);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, "0 0\n").unwrap();
            }
        };
        make(&["ADC2004/daisy1.wav", "ADC2004/daisy1REF.txt", "ADC2004/README.txt", "ADC2004/alone.wav"]);
        make(&["MIR-1K/Wavfile/abjones_1_01.wav", "MIR-1K/PitchLabel/abjones_1_01.pv"]);
        make(&["Audio/A_B/A_B_MIX.wav", "Melody/A_B_MELODY1.csv", "Melody/A_B_MELODY2.csv"]);
        let found = |folder: &str, references: Option<&str>| {
            let references = references.map(|r| dir.path().join(r));
            let pairs = with_references(&[dir.path().join(folder)], references.as_deref()).unwrap();
            pairs.into_iter().map(|(_, r)| r.strip_prefix(dir.path()).unwrap().to_string_lossy().into_owned()).collect::<Vec<_>>()
        };
        assert_eq!(found("ADC2004", None), ["ADC2004/daisy1REF.txt"]);
        assert_eq!(found("MIR-1K/Wavfile", Some("MIR-1K/PitchLabel")), ["MIR-1K/PitchLabel/abjones_1_01.pv"]);
        assert_eq!(found("Audio/A_B", Some("Melody")), ["Melody/A_B_MELODY2.csv"]);
        make(&["mine/pitch_daisy1.txt"]);
        assert_eq!(
            estimate_of(Path::new("x/daisy1.wav"), &dir.path().join("mine")),
            Some(dir.path().join("mine/pitch_daisy1.txt"))
        );
    }
}
