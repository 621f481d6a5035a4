//! Weights files: safetensors, f16 on disk, f32 in memory, with a string-to-string metadata table.

use std::collections::BTreeMap;
use std::path::Path;

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use crate::{ModelError, ModelInfo};

/// A weights file in memory: named tensors and metadata.
#[derive(Debug)]
pub struct Weights {
    /// File stem or shipped name, for messages.
    pub name: String,
    /// The safetensors metadata; `architecture` is always there.
    pub metadata: BTreeMap<String, String>,
    /// Hash over the file: equal fingerprints, equal models.
    pub fingerprint: String,
    arrays: BTreeMap<String, Array>,
}

/// A tensor of a weights file.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// Size of each dimension; the last one lies side by side in `values`.
    pub shape: Vec<usize>,
    /// As many as the shape says.
    pub values: Vec<f32>,
}

impl Weights {
    /// The shipped weights called `name`, or else the file at that path.
    pub fn open(name: &str, shipped: &[(&str, &[u8])]) -> Result<Self, ModelError> {
        if let Some((_, bytes)) = shipped.iter().find(|(known, _)| *known == name) {
            return Self::from_bytes(name, bytes);
        }
        let path = Path::new(name);
        if !path.exists() {
            let known = shipped.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
            return Err(ModelError::UnknownModel { name: name.to_string(), known });
        }
        let bytes = std::fs::read(path).map_err(|source| ModelError::Io { path: path.to_path_buf(), source })?;
        let stem = path.file_stem().map_or(name.into(), |s| s.to_string_lossy());
        Self::from_bytes(&stem, &bytes)
    }

    /// Parses a safetensors file held in memory.
    pub fn from_bytes(name: &str, bytes: &[u8]) -> Result<Self, ModelError> {
        let refuse = |reason: String| ModelError::Weights { name: name.to_string(), reason };
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(|e| refuse(format!("not a safetensors file: {e}")))?;
        let metadata: BTreeMap<String, String> = header.metadata().clone().unwrap_or_default().into_iter().collect();
        if !metadata.contains_key("architecture") {
            return Err(refuse("the metadata names no `architecture`".into()));
        }
        let file = SafeTensors::deserialize(bytes).map_err(|e| refuse(format!("damaged safetensors file: {e}")))?;
        let mut arrays = BTreeMap::new();
        for (key, view) in file.tensors() {
            let values =
                values(&view).ok_or_else(|| refuse(format!("tensor {key} has the unsupported type {:?}", view.dtype())))?;
            arrays.insert(key, Array { shape: view.shape().to_vec(), values });
        }
        Ok(Weights { name: name.to_string(), metadata, fingerprint: fingerprint(bytes), arrays })
    }

    /// Weights that are in no file yet.
    #[cfg(feature = "torch")]
    pub(super) fn from_arrays(name: &str, metadata: BTreeMap<String, String>, arrays: BTreeMap<String, Array>) -> Self {
        Weights { name: name.to_string(), metadata, fingerprint: "0".repeat(16), arrays }
    }

    /// A tensor of the file.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn array(&self, key: &str) -> Result<&Array, ModelError> {
        let missing = || ModelError::Weights { name: self.name.clone(), reason: format!("tensor {key} is missing") };
        self.arrays.get(key).ok_or_else(missing)
    }

    /// The `architecture` of the metadata.
    pub fn architecture(&self) -> &str {
        self.metadata.get("architecture").map_or("", String::as_str)
    }

    /// What a model of these weights shall say of itself, given its number of trainable parameters.
    pub fn describe(&self, parameters: usize) -> ModelInfo {
        ModelInfo {
            name: self.name.clone(),
            architecture: self.architecture().to_string(),
            fingerprint: self.fingerprint.clone(),
            parameters,
            metadata: self.metadata.clone(),
        }
    }
}

/// The values of a tensor as f32; `None` where its type is not one of ours.
fn values(view: &TensorView) -> Option<Vec<f32>> {
    fn all<const N: usize>(bytes: &[u8], read: impl Fn([u8; N]) -> f32) -> Vec<f32> {
        bytes.as_chunks().0.iter().map(|&bytes| read(bytes)).collect()
    }
    let bytes = view.data();
    Some(match view.dtype() {
        Dtype::F16 => {
            let halves: Vec<f16> = bytes.as_chunks().0.iter().map(|&bytes| f16::from_le_bytes(bytes)).collect();
            let mut values = vec![0.0; halves.len()];
            halves.convert_to_f32_slice(&mut values);
            values
        }
        Dtype::BF16 => all(bytes, |bytes| bf16::from_le_bytes(bytes).to_f32()),
        Dtype::F32 => all(bytes, f32::from_le_bytes),
        Dtype::F64 => all(bytes, |bytes| f64::from_le_bytes(bytes) as f32),
        Dtype::I64 => all(bytes, |bytes| i64::from_le_bytes(bytes) as f32),
        _ => return None,
    })
}

/// FNV-1a over the bytes, as 16 hex digits: tells models apart, guards against nothing.
fn fingerprint(bytes: &[u8]) -> String {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |h, &b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    format!("{hash:016x}")
}
