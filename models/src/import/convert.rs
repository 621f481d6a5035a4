//! From a file of somebody else's to weights of ours.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tch::{Kind, Tensor};

use super::format::Format;
use super::keras::KerasFile;
use super::{published, torch};
use crate::ModelError;
use crate::extractor::segments::{BINS, SEGMENT};
use crate::extractor::{jdc, ssl};
use crate::nn::hard_lstm::{self, Gates};
use crate::nn::variables::save_f32;

/// What to import.
#[derive(Debug, Clone)]
pub struct Import<'a> {
    /// The weights: HDF5 of Keras, or a state dict of PyTorch.
    pub file: &'a Path,
    /// Whose weights they are, `ssl` or `jdc`; told by the names of the layers when not given.
    pub architecture: Option<&'a str>,
    /// Mean of the front end, `[31, 513]` or what broadcasts to it, as .npy; when not given, the `x_data_mean_total_31.npy`
    /// beside the weights or in the folder above.
    pub mean: Option<&'a Path>,
    /// Standard deviation, likewise (`x_data_std_total_31.npy`).
    pub std: Option<&'a Path>,
    /// Gates of the LSTM; when not given, what the Keras that wrote the file used by default (hard before 2.3), and
    /// logistic ones for PyTorch.
    pub gates: Option<Gates>,
}

/// Imported weights.
#[derive(Debug)]
pub struct Imported {
    /// Architecture, `ssl` or `jdc`.
    pub architecture: &'static str,
    tensors: Vec<(String, Tensor)>,
    metadata: BTreeMap<String, String>,
}

impl Imported {
    /// Writes them as safetensors, in full precision.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), ModelError> {
        save_f32(&self.tensors, self.metadata.clone(), path)
    }
}

/// Reads weights and the constants that belong to them.
///
/// # Errors
/// A file cannot be read, is damaged, or lacks what the architecture needs.
pub fn import(request: &Import) -> Result<Imported, ModelError> {
    let name = request.file.display().to_string();
    let refuse = |reason: String| ModelError::Weights { name: name.clone(), reason };
    let bytes = std::fs::read(request.file).map_err(|source| ModelError::Io { path: request.file.into(), source })?;
    let (architecture, mut tensors, gates) = match Format::of(&bytes) {
        Some(Format::Hdf5) => of_keras(bytes, request).map_err(refuse)?,
        Some(Format::Zip) => of_torch(&bytes, request).map_err(refuse)?,
        None => return Err(refuse("neither HDF5 (Keras 2) nor a zip (PyTorch)".into())),
    };
    for (own, given, published) in
        [("mean", request.mean, "x_data_mean_total_31.npy"), ("std", request.std, "x_data_std_total_31.npy")]
    {
        let path = match given {
            Some(path) => path.to_path_buf(),
            None => beside(request.file, published).ok_or_else(|| {
                refuse(format!("its front end needs {published}, which is not beside it: give the file with --{own}"))
            })?,
        };
        tensors.push((format!("front_end.{own}"), constant(&path)?));
    }
    let source = request.file.file_name().map_or(name, |n| n.to_string_lossy().into_owned());
    let metadata = BTreeMap::from([
        ("architecture".to_string(), architecture.to_string()),
        (hard_lstm::GATES.to_string(), gates.name().to_string()),
        ("source".to_string(), format!("imported from {source}; licence and training data are those of its authors")),
    ]);
    Ok(Imported { architecture, tensors, metadata })
}

type Read = (&'static str, Vec<(String, Tensor)>, Gates);

fn of_keras(bytes: Vec<u8>, request: &Import) -> Result<Read, String> {
    let file = KerasFile::read(bytes)?;
    let is_ssl = match request.architecture {
        Some(asked) => known(asked)? == ssl::ARCHITECTURE,
        None if file.has("conv_s1_1x1") => true,
        None if file.has("conv2_1x1") => false,
        None => return Err("its layers are neither those of ssl nor of jdc; say which it is with --arch".into()),
    };
    let gates = request.gates.unwrap_or(file.default_gates());
    match is_ssl {
        true => Ok((ssl::ARCHITECTURE, published::ssl_of_keras(&file)?, gates)),
        false => Ok((jdc::ARCHITECTURE, published::jdc_of_keras(&file)?, gates)),
    }
}

fn of_torch(bytes: &[u8], request: &Import) -> Result<Read, String> {
    if request.architecture.map(known).transpose()?.is_some_and(|asked| asked != ssl::ARCHITECTURE) {
        return Err("of PyTorch files only those of ssl are known".into());
    }
    let tensors = published::ssl_of_torch(&torch::read(bytes)?)?;
    Ok((ssl::ARCHITECTURE, tensors, request.gates.unwrap_or(Gates::Logistic)))
}

fn known(architecture: &str) -> Result<&'static str, String> {
    let all = [ssl::ARCHITECTURE, jdc::ARCHITECTURE];
    all.into_iter()
        .find(|a| *a == architecture)
        .ok_or_else(|| format!("weights of {architecture} cannot be imported, only of {}", all.join(" and ")))
}

/// A file beside the weights, or in the folder above.
fn beside(file: &Path, name: &str) -> Option<PathBuf> {
    file.ancestors().skip(1).take(2).map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// A constant of the front end, `[31, 513]`.
fn constant(path: &Path) -> Result<Tensor, ModelError> {
    let name = path.display().to_string();
    if !path.is_file() {
        let source = std::io::Error::from(std::io::ErrorKind::NotFound);
        return Err(ModelError::Io { path: path.into(), source });
    }
    let read = || {
        let shape = [SEGMENT as i64, BINS as i64];
        let tensor = Tensor::read_npy(path)?.f_to_kind(Kind::Float)?;
        // Some keep the axis of the segments or of the channel.
        let tensor = if tensor.numel() == SEGMENT * BINS { tensor.f_view(shape)? } else { tensor };
        tensor.f_expand(shape, false)?.f_contiguous()
    };
    read().map_err(|e| {
        let said = e.to_string();
        let reason = format!("no .npy with {SEGMENT} x {BINS} values: {}", said.lines().next().unwrap_or_default());
        ModelError::Weights { name, reason }
    })
}
