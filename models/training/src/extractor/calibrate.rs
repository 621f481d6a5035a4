//! The constants of front ends that normalise every frequency: taken from training recordings, and shipped with the weights.

use tch::Tensor;

use super::crops::make_crop;
use super::student::Listener;
use super::{Settings, Source, start};
use qbh_models::ModelError;
use qbh_synthesis::random::stream;

/// Mean and standard deviation of every frequency, in whatever shape the front end has them.
pub(super) struct Constants {
    mean: Tensor,
    std: Tensor,
}

impl Constants {
    /// `(x - mean) / (std + 1e-4)`.
    pub(super) fn normalise(&self, x: &Tensor) -> Tensor {
        (x - &self.mean) / (&self.std + 1e-4)
    }

    /// As they ship beside the weights.
    pub(super) fn tensors(&self) -> Vec<(String, Tensor)> {
        vec![("front_end.mean".to_string(), self.mean.shallow_clone()), ("front_end.std".to_string(), self.std.shallow_clone())]
    }

    /// The same constants in `rows` equal rows.
    pub(super) fn repeat(self, rows: i64) -> Self {
        let repeat = |values: Tensor| if values.dim() == 1 { values.repeat([rows, 1]) } else { values };
        Constants { mean: repeat(self.mean), std: repeat(self.std) }
    }
}

/// The constants of the weights that the training starts from; without such, those of `bins` frequencies over the first
/// `crops` recordings of the source.
pub(super) fn calibrate(
    settings: &Settings,
    source: &Source,
    listener: &dyn Listener,
    bins: usize,
    crops: u32,
) -> Result<Constants, ModelError> {
    if let Some(weights) = start(settings)? {
        let constant = |key: &str| -> Result<Tensor, ModelError> { Ok(weights.tensor(key)?.f_to_device(settings.device)?) };
        return Ok(Constants { mean: constant("front_end.mean")?, std: constant("front_end.std")? });
    }
    let (mut sum, mut squares) = (vec![0.0f64; bins], vec![0.0f64; bins]);
    for i in 0..crops {
        let crop = make_crop(source, listener, &mut stream(settings.seed, 0, i))?;
        for frame in crop.features.chunks_exact(bins) {
            for (bin, &x) in frame.iter().enumerate() {
                sum[bin] += f64::from(x);
                squares[bin] += f64::from(x) * f64::from(x);
            }
        }
    }
    let count = (crops as usize * listener.frames()) as f64;
    let mean: Vec<f32> = sum.iter().map(|s| (s / count) as f32).collect();
    let std: Vec<f32> = sum.iter().zip(&squares).map(|(s, q)| (q / count - (s / count).powi(2)).max(0.0).sqrt() as f32).collect();
    let tensor =
        |values: &[f32]| -> Result<Tensor, ModelError> { Ok(Tensor::f_from_slice(values)?.f_to_device(settings.device)?) };
    Ok(Constants { mean: tensor(&mean)?, std: tensor(&std)? })
}
