//! From weights files to packed layers; batch normalisation is folded on the way.

use super::conv::Conv;
use super::norm::Affine;
use super::panels::Panels;
use crate::ModelError;
use crate::nn::shape::ConvShape;
use crate::nn::weights::Weights;

/// Takes the tensors of a network out of its weights, one layer after the other, and counts the parameters that training changes.
pub(crate) struct Reader<'a> {
    weights: &'a Weights,
    parameters: usize,
}

impl<'a> Reader<'a> {
    /// Nothing taken yet.
    pub(crate) fn new(weights: &'a Weights) -> Self {
        Reader { weights, parameters: 0 }
    }

    /// Trainable parameters of all that was taken.
    pub(crate) fn parameters(&self) -> usize {
        self.parameters
    }

    /// The values of a tensor that training changes.
    ///
    /// # Errors
    /// It is missing or has another shape; so everywhere below.
    pub(crate) fn take(&mut self, key: &str, shape: &[i64]) -> Result<&'a [f32], ModelError> {
        let values = self.constant(key, shape)?;
        self.parameters += values.len();
        Ok(values)
    }

    /// The values of a tensor that training leaves alone.
    fn constant(&self, key: &str, shape: &[i64]) -> Result<&'a [f32], ModelError> {
        let array = self.weights.array(key)?;
        if !array.shape.iter().map(|&n| n as i64).eq(shape.iter().copied()) {
            let reason = format!("tensor {key} is {:?}, the network needs {shape:?}", array.shape);
            return Err(ModelError::Weights { name: self.weights.name.clone(), reason });
        }
        Ok(&array.values)
    }

    /// A linear layer: `weight` (output x input) and `bias`.
    pub(crate) fn linear(&mut self, name: &str, input: i64, output: i64) -> Result<Panels, ModelError> {
        let weight = self.take(&format!("{name}.weight"), &[output, input])?;
        let bias = self.take(&format!("{name}.bias"), &[output])?;
        Ok(Panels::new(input as usize, bias, |row, column| weight[column * input as usize + row]))
    }

    /// Gain and offset of a normalisation: `weight` and `bias`.
    pub(crate) fn affine(&mut self, name: &str, channels: i64) -> Result<Affine, ModelError> {
        let gain = self.take(&format!("{name}.weight"), &[channels])?;
        Ok(Affine::new(gain, self.take(&format!("{name}.bias"), &[channels])?))
    }

    /// A convolution with a bias, over channels-last values whose positions lie `steps` apart, one entry per dimension.
    pub(crate) fn conv<const D: usize>(
        &mut self,
        name: &str,
        shape: &ConvShape<D>,
        steps: [usize; D],
    ) -> Result<Conv, ModelError> {
        let weight = self.take(&format!("{name}.weight"), &shape.weight())?;
        let bias = self.take(&format!("{name}.bias"), &[shape.output])?;
        Ok(Conv::new(shape, steps, bias, |output, rest| weight[output * shape.each() + rest]))
    }

    /// A convolution and the batch normalisation behind it as one convolution.
    pub(crate) fn conv_bn<const D: usize>(
        &mut self,
        name: &str,
        shape: &ConvShape<D>,
        eps: f64,
        steps: [usize; D],
    ) -> Result<Conv, ModelError> {
        let weight = self.take(&format!("{name}.weight"), &shape.weight())?;
        let channels = [shape.output];
        let gamma = self.take(&format!("{name}.bn.weight"), &channels)?;
        let beta = self.take(&format!("{name}.bn.bias"), &channels)?;
        let mean = self.constant(&format!("{name}.bn.running_mean"), &channels)?;
        let variance = self.constant(&format!("{name}.bn.running_var"), &channels)?;
        let scale: Vec<f32> =
            gamma.iter().zip(variance).map(|(g, v)| (f64::from(*g) / (f64::from(*v) + eps).sqrt()) as f32).collect();
        let bias: Vec<f32> = beta.iter().zip(mean).zip(&scale).map(|((b, m), s)| b - m * s).collect();
        Ok(Conv::new(shape, steps, &bias, |output, rest| weight[output * shape.each() + rest] * scale[output]))
    }
}
