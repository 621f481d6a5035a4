//! Between weights files and the variables of libtorch: a network is filled from a file, and a trained one written to it.

use std::collections::BTreeMap;
use std::path::Path;

use safetensors::tensor::{Dtype, TensorView};
use tch::nn::VarStore;
use tch::{Device, Kind, Tensor};

use super::weights::{Array, Weights};
use crate::{ModelError, ModelInfo};

impl Weights {
    /// The variables of a network as a file would hold them, but for the precision.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn of(name: &str, metadata: BTreeMap<String, String>, vs: &VarStore) -> Result<Self, ModelError> {
        let mut arrays = BTreeMap::new();
        for (key, variable) in vs.variables() {
            let flat = variable.f_detach()?.f_to_device(Device::Cpu)?.f_to_kind(Kind::Float)?.f_contiguous()?.f_view([-1])?;
            let shape = variable.size().iter().map(|&n| n as usize).collect();
            arrays.insert(key, Array { shape, values: Vec::try_from(flat)? });
        }
        Ok(Weights::from_arrays(name, metadata, arrays))
    }

    /// Copies the tensors into the variables of a network built in `vs`; every variable must be there, in its shape.
    pub fn fill(&self, vs: &mut VarStore) -> Result<(), ModelError> {
        let _guard = tch::no_grad_guard();
        for (key, mut variable) in vs.variables() {
            let refuse = |reason: String| ModelError::Weights { name: self.name.clone(), reason };
            let tensor = self.tensor(&key)?;
            if tensor.size() != variable.size() {
                return Err(refuse(format!("tensor {key} is {:?}, the network needs {:?}", tensor.size(), variable.size())));
            }
            variable.f_copy_(&tensor)?;
        }
        Ok(())
    }

    /// Copies the tensors whose name and shape a variable of `vs` has, for a training that starts from them; at least one must.
    pub fn fill_matching(&self, vs: &VarStore) -> Result<(), ModelError> {
        let _guard = tch::no_grad_guard();
        let mut matched = false;
        for (key, mut variable) in vs.variables() {
            if let Some(tensor) = self.tensor(&key).ok().filter(|tensor| tensor.size() == variable.size()) {
                variable.f_copy_(&tensor)?;
                matched = true;
            }
        }
        let reason = "no tensor has the name and the shape of one of the network's".to_string();
        if matched { Ok(()) } else { Err(ModelError::Weights { name: self.name.clone(), reason }) }
    }

    /// A tensor of the file (such as a front end's mean, which is no network variable), f32.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn tensor(&self, key: &str) -> Result<Tensor, ModelError> {
        let array = self.array(key)?;
        let shape: Vec<i64> = array.shape.iter().map(|&n| n as i64).collect();
        Ok(Tensor::f_from_slice(&array.values)?.f_view(shape.as_slice())?)
    }

    /// What the loaded model shall say of itself.
    pub fn info(&self, vs: &VarStore) -> ModelInfo {
        self.describe(vs.trainable_variables().iter().map(Tensor::numel).sum())
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
