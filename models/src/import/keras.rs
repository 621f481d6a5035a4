//! Weights files of Keras 2: HDF5, a group per layer, the order of layers and weights in attributes.

use hdf5_reader::Hdf5File;
use hdf5_reader::error::Error;
use hdf5_reader::group::Group;
use tch::Tensor;

use crate::nn::hard_lstm::Gates;

/// Values that a file holds for each of its bytes, at most: what was never written reads as any number of zeros.
const PACKED: usize = 16;

/// The layers that have weights.
#[derive(Debug)]
pub(super) struct KerasFile {
    /// Version of the Keras that wrote the file.
    version: Option<String>,
    layers: Vec<Layer>,
}

#[derive(Debug)]
struct Layer {
    name: String,
    /// By the last word of the name; those of a bidirectional layer with `forward/` or `backward/` before it.
    weights: Vec<(String, Tensor)>,
}

impl Layer {
    fn get(&self, weight: &str) -> Option<&Tensor> {
        self.weights.iter().find(|(name, _)| name == weight).map(|(_, tensor)| tensor)
    }
}

/// Which of the layers.
#[derive(Debug, Clone, Copy)]
pub(super) enum Which<'a> {
    /// The layer of this name.
    Named(&'a str),
    /// Of those that have the first weight, the `n`-th, counted from 0 by the number that Keras appends to names.
    Nth(&'a str, usize),
}

impl KerasFile {
    /// Reads a weights file, or a whole saved model. The error says what is wrong.
    pub fn read(bytes: Vec<u8>) -> Result<Self, String> {
        let most = PACKED * bytes.len();
        let damaged = |e: Error| format!("damaged HDF5 file: {e}");
        let file = Hdf5File::from_vec(bytes).map_err(damaged)?;
        let root = file.root_group().map_err(damaged)?;
        let (group, folder) = match root.group("model_weights") {
            Ok(group) => (group, "model_weights/"),
            Err(_) => (root, ""),
        };
        let names = strings(&group, "layer_names").ok_or("no attribute `layer_names`, so it is no weights file of Keras 2")?;
        let mut layers = Vec::new();
        let mut values = 0usize;
        for name in names {
            let layer = group.group(&name).map_err(damaged)?;
            let mut weights = Vec::new();
            for weight in strings(&layer, "weight_names").unwrap_or_default() {
                let data = file.dataset(&format!("{folder}{name}/{weight}")).map_err(damaged)?;
                let shape: Vec<i64> = data.shape().iter().map(|&n| n as i64).collect();
                let count = data.shape().iter().try_fold(1usize, |count, &n| count.checked_mul(usize::try_from(n).ok()?));
                values = values.saturating_add(count.unwrap_or(usize::MAX));
                if values > most {
                    return Err(format!("{weight} makes more than {most} values of the file, far more than it holds"));
                }
                let values: Vec<f32> = data.read_array::<f32>().map_err(damaged)?.into_iter().collect();
                let tensor = Tensor::f_from_slice(&values).and_then(|t| t.f_view(shape.as_slice()));
                weights.push((short(&weight), tensor.map_err(|e| e.to_string())?));
            }
            if !weights.is_empty() {
                layers.push(Layer { name, weights });
            }
        }
        let version = strings(&group, "keras_version").and_then(|v| v.into_iter().next());
        Ok(KerasFile { version, layers })
    }

    /// A weight of a layer.
    pub fn get(&self, which: Which, weight: &str) -> Result<&Tensor, String> {
        let layer = match which {
            Which::Named(name) => self.layers.iter().find(|layer| layer.name == name),
            Which::Nth(mark, n) => {
                let mut marked: Vec<&Layer> = self.layers.iter().filter(|layer| layer.get(mark).is_some()).collect();
                marked.sort_by_key(|layer| number(&layer.name));
                marked.get(n).copied()
            }
        };
        let wanted = || match which {
            Which::Named(name) => format!("the network needs a layer {name} with the weight {weight}, which the file lacks"),
            Which::Nth(mark, n) => {
                format!("the network needs {} layers with the weights {mark} and {weight}, the file has fewer", n + 1)
            }
        };
        layer.and_then(|layer| layer.get(weight)).ok_or_else(wanted)
    }

    /// The gates that an LSTM had by default in the Keras that wrote the file: hard ones before version 2.3.
    pub fn default_gates(&self) -> Gates {
        let version = self.version.as_deref().unwrap_or_default();
        let mut parts = version.split('.').map(|part| part.parse::<u32>().ok());
        match (parts.next().flatten(), parts.next().flatten()) {
            (Some(major), Some(minor)) if (major, minor) < (2, 3) && !version.contains("tf") => Gates::Hard,
            _ => Gates::Logistic,
        }
    }

    /// Whether there is a layer of this name.
    pub fn has(&self, name: &str) -> bool {
        self.layers.iter().any(|layer| layer.name == name)
    }
}

/// The texts of an attribute; `None` without it, or when it holds something else.
fn strings(group: &Group, attribute: &str) -> Option<Vec<String>> {
    let attribute = group.attribute(attribute).ok()?;
    if attribute.num_elements().ok()? == 0 {
        return Some(Vec::new());
    }
    attribute.read_strings().ok()
}

/// `bidirectional_1/forward_lstm_1/kernel:0` to `forward/kernel`, `conv1_1/kernel:0` to `kernel`.
fn short(name: &str) -> String {
    let name = name.split(':').next().unwrap_or_default();
    let last = name.rsplit('/').next().unwrap_or_default();
    let direction = name.split('/').find_map(|word| ["forward", "backward"].into_iter().find(|d| word.starts_with(d)));
    direction.map_or(last.to_owned(), |direction| format!("{direction}/{last}"))
}

/// The number at the end of a name, 0 where there is none.
fn number(name: &str) -> u32 {
    let digits = name.len() - name.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    name[name.len() - digits..].parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_old_and_new_versions_are_understood() {
        assert_eq!(short("bidirectional_1/forward_lstm_1/recurrent_kernel:0"), "forward/recurrent_kernel");
        assert_eq!(short("bidirectional/backward_lstm/lstm_cell_2/bias:0"), "backward/bias");
        assert_eq!(short("batch_normalization_1/moving_mean:0"), "moving_mean");
        assert_eq!((number("batch_normalization_12"), number("batch_normalization"), number("conv2d_1")), (12, 0, 1));
    }

    #[test]
    fn what_is_no_weights_file_says_so() {
        assert!(KerasFile::read(b"\x89HDF\r\n\x1a\n and nothing more".to_vec()).unwrap_err().contains("damaged"));
    }
}
