//! A bank in a file: rendering takes minutes, reading it seconds.
//!
//! ```text
//! "qbh stems 2\n", length and text of the recipe, then for each piece: three lengths, voice and accompaniment
//! as 16-bit samples, f0 as f32; all numbers little-endian, lengths u64
//! ```

use std::fs::File;
use std::io::{self, BufReader, BufWriter, ErrorKind, Read, Write};
use std::path::Path;

use super::{Piece, StemBank};

const MAGIC: &[u8] = b"qbh stems 2\n";
/// Longest recipe and longest part of a piece that are read, so that a damaged file cannot ask for all memory.
const LONGEST: u64 = 1 << 28;

impl StemBank {
    /// Writes the bank to a file, with the recipe that it was made by.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, recipe: &str, path: &Path) -> io::Result<()> {
        // Under its name only when it is whole: others may wait for it.
        let part = path.with_extension("part");
        let mut file = BufWriter::with_capacity(1 << 20, File::create(&part)?);
        file.write_all(MAGIC)?;
        write_length(&mut file, recipe.len())?;
        file.write_all(recipe.as_bytes())?;
        write_length(&mut file, self.pieces.len())?;
        for piece in &self.pieces {
            for length in [piece.voice.len(), piece.accompaniment.len(), piece.f0.len()] {
                write_length(&mut file, length)?;
            }
            piece.voice.iter().chain(&piece.accompaniment).try_for_each(|s| file.write_all(&s.to_le_bytes()))?;
            piece.f0.iter().try_for_each(|f| file.write_all(&f.to_le_bytes()))?;
        }
        file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        std::fs::rename(&part, path)
    }

    /// Reads a bank that was made by this recipe; none if the file was made by another.
    ///
    /// # Errors
    /// The file cannot be read, or is no bank.
    pub fn read(recipe: &str, path: &Path) -> io::Result<Option<Self>> {
        let mut file = BufReader::with_capacity(1 << 20, File::open(path)?);
        let mut magic = [0; MAGIC.len()];
        file.read_exact(&mut magic)?;
        if magic != MAGIC {
            return Err(io::Error::new(ErrorKind::InvalidData, "not a file of stems"));
        }
        let length = read_length(&mut file)?;
        if read_bytes(&mut file, length)? != recipe.as_bytes() {
            return Ok(None);
        }
        let mut pieces = Vec::new();
        for _ in 0..read_length(&mut file)? {
            let [voice, accompaniment, f0] = [read_length(&mut file)?, read_length(&mut file)?, read_length(&mut file)?];
            let mut samples = |n| {
                io::Result::Ok(read_bytes(&mut file, 2 * n)?.chunks_exact(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect())
            };
            let (voice, accompaniment) = (samples(voice)?, samples(accompaniment)?);
            let f0 =
                read_bytes(&mut file, 4 * f0)?.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
            pieces.push(Piece { voice, accompaniment, f0 });
        }
        let mut bank = StemBank::default();
        bank.take(pieces);
        Ok(Some(bank))
    }
}

fn write_length(file: &mut impl Write, length: usize) -> io::Result<()> {
    file.write_all(&(length as u64).to_le_bytes())
}

fn read_length(file: &mut impl Read) -> io::Result<u64> {
    let mut bytes = [0; 8];
    file.read_exact(&mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}

fn read_bytes(file: &mut impl Read, length: u64) -> io::Result<Vec<u8>> {
    if length > LONGEST {
        return Err(io::Error::new(ErrorKind::InvalidData, "a length that no piece has"));
    }
    let mut bytes = vec![0; length as usize];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::{Studio, StudioConfig};

    #[test]
    fn a_bank_comes_back_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("stems");
        let mut bank = StemBank::render(&Studio::new(StudioConfig::default()), 3, 3, 6.0);
        bank.accompany(vec![vec![0.1; 80_000]]);
        bank.write("a recipe", &path).unwrap();
        let read = StemBank::read("a recipe", &path).unwrap().unwrap();
        assert_eq!((read.len(), read.seconds()), (4, bank.seconds()));
        for seed in 0..20 {
            let (a, b) = (bank.crop(seed, 4.0), read.crop(seed, 4.0));
            assert!(a.mix == b.mix && a.pitch == b.pitch);
        }
        assert!(StemBank::read("another", &path).unwrap().is_none());
        let bytes = std::fs::read(&path).unwrap();
        for damaged in [&bytes[..bytes.len() - 1], b"RIFF and so on, long enough", b""] {
            std::fs::write(&path, damaged).unwrap();
            assert!(StemBank::read("a recipe", &path).is_err());
        }
    }
}
