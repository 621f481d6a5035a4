//! Weights in and out of safetensors: f16 on disk, f32 in memory, with a string-to-string metadata table.

use std::collections::BTreeMap;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use tch::nn::VarStore;
use tch::{Device, Kind, Tensor};

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
    tensors: BTreeMap<String, Tensor>,
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
        let mut tensors = BTreeMap::new();
        for (key, view) in file.tensors() {
            let kind = match view.dtype() {
                Dtype::F16 => Kind::Half,
                Dtype::BF16 => Kind::BFloat16,
                Dtype::F32 => Kind::Float,
                Dtype::F64 => Kind::Double,
                Dtype::I64 => Kind::Int64,
                other => return Err(refuse(format!("tensor {key} has the unsupported type {other:?}"))),
            };
            let shape: Vec<i64> = view.shape().iter().map(|&n| n as i64).collect();
            tensors.insert(key, Tensor::f_from_data_size(view.data(), &shape, kind)?.f_to_kind(Kind::Float)?);
        }
        Ok(Weights { name: name.to_string(), metadata, fingerprint: fingerprint(bytes), tensors })
    }

    /// Copies the tensors into the variables of a network built in `vs`; every variable must be there, in its shape.
    pub fn fill(&self, vs: &mut VarStore) -> Result<(), ModelError> {
        let _guard = tch::no_grad_guard();
        for (key, mut variable) in vs.variables() {
            let refuse = |reason: String| ModelError::Weights { name: self.name.clone(), reason };
            let tensor = self.tensors.get(&key).ok_or_else(|| refuse(format!("tensor {key} is missing")))?;
            if tensor.size() != variable.size() {
                return Err(refuse(format!("tensor {key} is {:?}, the network needs {:?}", tensor.size(), variable.size())));
            }
            variable.f_copy_(tensor)?;
        }
        Ok(())
    }

    /// Copies the tensors whose name and shape a variable of `vs` has, for a training that starts from them; at least one must.
    pub fn fill_matching(&self, vs: &VarStore) -> Result<(), ModelError> {
        let _guard = tch::no_grad_guard();
        let mut matched = false;
        for (key, mut variable) in vs.variables() {
            if let Some(tensor) = self.tensors.get(&key).filter(|tensor| tensor.size() == variable.size()) {
                variable.f_copy_(tensor)?;
                matched = true;
            }
        }
        let reason = "no tensor has the name and the shape of one of the network's".to_string();
        if matched { Ok(()) } else { Err(ModelError::Weights { name: self.name.clone(), reason }) }
    }

    /// A tensor that is no network variable (such as a front end's mean), f32.
    pub fn tensor(&self, key: &str) -> Result<&Tensor, ModelError> {
        self.tensors
            .get(key)
            .ok_or_else(|| ModelError::Weights { name: self.name.clone(), reason: format!("tensor {key} is missing") })
    }

    /// The `architecture` of the metadata.
    pub fn architecture(&self) -> &str {
        self.metadata.get("architecture").map_or("", String::as_str)
    }

    /// What the loaded model shall say of itself.
    pub fn info(&self, vs: &VarStore) -> ModelInfo {
        ModelInfo {
            name: self.name.clone(),
            architecture: self.architecture().to_string(),
            fingerprint: self.fingerprint.clone(),
            parameters: vs.trainable_variables().iter().map(Tensor::numel).sum(),
            metadata: self.metadata.clone(),
        }
    }
}

/// Writes named tensors as f16 safetensors, through a temporary file, so that an interrupted write leaves the old file.
pub fn save(tensors: &[(String, Tensor)], metadata: BTreeMap<String, String>, path: &Path) -> Result<(), ModelError> {
    write(tensors, metadata, path, Kind::Half)
}

/// As [`save`], in full precision: for checkpoints from which a training resumes.
pub fn save_f32(tensors: &[(String, Tensor)], metadata: BTreeMap<String, String>, path: &Path) -> Result<(), ModelError> {
    write(tensors, metadata, path, Kind::Float)
}

fn write(tensors: &[(String, Tensor)], metadata: BTreeMap<String, String>, path: &Path, kind: Kind) -> Result<(), ModelError> {
    let (dtype, width) = if kind == Kind::Half { (Dtype::F16, 2) } else { (Dtype::F32, 4) };
    let mut raw = Vec::new();
    for (key, tensor) in tensors {
        let tensor = tensor.f_to_device(Device::Cpu)?.f_to_kind(kind)?.f_contiguous()?;
        let mut bytes = vec![0u8; tensor.numel() * width];
        tensor.f_copy_data_u8(&mut bytes, tensor.numel())?;
        raw.push((key.clone(), tensor.size().iter().map(|&n| n as usize).collect::<Vec<_>>(), bytes));
    }
    let refuse =
        |e: safetensors::SafeTensorError| ModelError::Weights { name: path.display().to_string(), reason: e.to_string() };
    let views = raw
        .iter()
        .map(|(key, shape, bytes)| Ok((key, TensorView::new(dtype, shape.clone(), bytes).map_err(refuse)?)))
        .collect::<Result<Vec<_>, ModelError>>()?;
    let bytes = safetensors::serialize(views, Some(metadata.into_iter().collect())).map_err(refuse)?;
    let part = path.with_extension("part");
    let io = |source| ModelError::Io { path: path.to_path_buf(), source };
    std::fs::write(&part, bytes).map_err(io)?;
    std::fs::rename(&part, path).map_err(io)
}

/// FNV-1a over the bytes, as 16 hex digits: tells models apart, guards against nothing.
fn fingerprint(bytes: &[u8]) -> String {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |h, &b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::nn;

    #[test]
    fn weights_survive_the_round_trip_and_misfits_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("net.safetensors");
        let vs = VarStore::new(Device::Cpu);
        let _layer = nn::linear(vs.root() / "fc", 3, 2, Default::default());
        let metadata = BTreeMap::from([("architecture".to_string(), "test".to_string())]);
        let tensors: Vec<_> = vs.variables().into_iter().collect();
        save(&tensors, metadata, &path).unwrap();

        let weights = Weights::open(path.to_str().unwrap(), &[]).unwrap();
        let mut other = VarStore::new(Device::Cpu);
        let _layer = nn::linear(other.root() / "fc", 3, 2, Default::default());
        weights.fill(&mut other).unwrap();
        for (key, tensor) in vs.variables() {
            assert!((tensor - &other.variables()[&key]).abs().max().double_value(&[]) < 1e-3);
        }
        assert_eq!(weights.info(&other).parameters, 8);

        let mut wrong = VarStore::new(Device::Cpu);
        let _layer = nn::linear(wrong.root() / "fc", 4, 2, Default::default());
        assert!(weights.fill(&mut wrong).unwrap_err().to_string().contains("fc.weight"));
        let mut other = VarStore::new(Device::Cpu);
        let _layers = [
            nn::linear(other.root() / "fc", 3, 2, Default::default()),
            nn::linear(other.root() / "out", 2, 2, Default::default()),
        ];
        weights.fill_matching(&other).unwrap();
        assert!((&vs.variables()["fc.weight"] - &other.variables()["fc.weight"]).abs().max().double_value(&[]) < 1e-3);
        assert!(weights.fill(&mut other).is_err());
        assert!(weights.fill_matching(&VarStore::new(Device::Cpu)).is_err());
        assert!(matches!(Weights::open("nobody", &[]), Err(ModelError::UnknownModel { .. })));
    }
}
