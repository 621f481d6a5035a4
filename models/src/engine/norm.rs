//! Normalisations and softmax over channels-last values: a few passes over what lies in cache.

use super::kernels::{Function, Kernel};

/// Gain and offset per channel.
#[derive(Debug, Clone)]
pub(crate) struct Affine {
    gain: Vec<f32>,
    offset: Vec<f32>,
}

impl Affine {
    /// As many of the one as of the other.
    pub(crate) fn new(gain: &[f32], offset: &[f32]) -> Self {
        Affine { gain: gain.to_vec(), offset: offset.to_vec() }
    }

    /// Layer normalisation (Ba et al. 2016): each position by its own mean and variance.
    pub(crate) fn layer_norm(&self, eps: f32, x: &[f32], y: &mut [f32]) {
        let width = self.gain.len();
        x.chunks_exact(width).zip(y.chunks_exact_mut(width)).for_each(|(x, y)| self.normalise(eps, x, y));
    }

    /// Group normalisation (Wu & He 2018) with one group: all positions by their common mean and variance.
    pub(crate) fn normalise(&self, eps: f32, x: &[f32], y: &mut [f32]) {
        let width = self.gain.len();
        let mean = sum(x, |x| x) / x.len() as f32;
        let variance = sum(x, |x| (x - mean) * (x - mean)) / x.len() as f32;
        let scale = 1.0 / (variance + eps).sqrt();
        for (x, y) in x.chunks_exact(width).zip(y.chunks_exact_mut(width)) {
            for (((y, x), gain), offset) in y.iter_mut().zip(x).zip(&self.gain).zip(&self.offset) {
                *y = (x - mean) * scale * gain + offset;
            }
        }
    }
}

/// The sum of a function of some values: sixteen at a time, which is faster and more exact than one after the other.
fn sum(values: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    let (chunks, rest) = values.as_chunks::<16>();
    let mut lanes = [0.0f32; 16];
    for chunk in chunks {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane += of(*x);
        }
    }
    lanes.iter().sum::<f32>() + rest.iter().map(|&x| of(x)).sum::<f32>()
}

/// `e^x` of each value over the sum of all.
pub(crate) fn softmax(kernel: Kernel, values: &mut [f32]) {
    let most = values.iter().copied().fold(f32::MIN, f32::max);
    values.iter_mut().for_each(|x| *x -= most);
    kernel.map(Function::Exp, values);
    let scale = 1.0 / sum(values, |x| x);
    values.iter_mut().for_each(|x| *x *= scale);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn normalised_values_have_the_mean_and_the_variance_asked_for(
            x in prop::collection::vec(-9.0f32..9.0, 40..200), gain in 0.1f32..3.0, offset in -3.0f32..3.0,
        ) {
            let x = &x[..x.len() / 4 * 4];
            let mut y = vec![0.0; x.len()];
            Affine::new(&[gain; 4], &[offset; 4]).normalise(0.0, x, &mut y);
            let mean = y.iter().sum::<f32>() / y.len() as f32;
            let variance = y.iter().map(|y| (y - mean).powi(2)).sum::<f32>() / y.len() as f32;
            prop_assert!((mean - offset).abs() < 1e-3 && (variance.sqrt() - gain).abs() < 1e-3, "{} {}", mean, variance);
        }

        #[test]
        fn softmax_sums_to_one_and_keeps_ratios(x in prop::collection::vec(-30.0f32..30.0, 1..70)) {
            for kernel in Kernel::available() {
                let mut y = x.clone();
                softmax(kernel, &mut y);
                prop_assert!((y.iter().sum::<f32>() - 1.0).abs() < 1e-5);
                let (most, top) = x.iter().zip(&y).fold((f32::MIN, 0.0), |a, (x, y)| if *x > a.0 { (*x, *y) } else { a });
                for (x, y) in x.iter().zip(&y) {
                    prop_assert!((y - top * (x - most).exp()).abs() < 1e-6);
                }
            }
        }
    }

    #[test]
    fn layers_are_normalised_one_by_one() {
        let mut y = [0.0; 4];
        Affine::new(&[1.0, 2.0], &[0.5, 0.0]).layer_norm(0.0, &[1.0, 3.0, 10.0, 10.5], &mut y);
        assert_eq!(y, [-0.5, 2.0, -0.5, 2.0]);
    }
}
