//! What of an embedding is stored and compared: its coordinates along the directions in which embeddings differ.

use tch::{Device, Kind, Tensor};

use crate::nn::weights::Weights;
use crate::{EMBEDDING_DIM, ModelError};

/// Its tensor in a weights file.
pub const NAME: &str = "projection";

/// An orthonormal basis of `d` directions, `(d, 512)`.
///
/// An uncentred principal component analysis: the first eigenvectors of the second moments of embeddings of songs and hums. What is
/// left of an embedding is not normalised again, so that dot products are those of the embeddings less what the directions left out
/// would add.
#[derive(Debug)]
pub struct Projection {
    basis: Tensor,
}

impl Projection {
    /// The `dimension` directions that keep most of the squared length of `embeddings` `(n, 512)`, and the share that they keep.
    pub fn fit(embeddings: &Tensor, dimension: usize) -> Result<(Self, f64), ModelError> {
        let _guard = tch::no_grad_guard();
        let x = embeddings.f_to_device(Device::Cpu)?.f_to_kind(Kind::Double)?;
        let (energies, directions) = x.tr().f_matmul(&x)?.f_linalg_eigh("L")?;
        // Ascending: the last ones are the largest.
        let (all, kept) = (energies.size1()?, dimension as i64);
        let sum = |values: &Tensor| values.sum(Kind::Double).double_value(&[]);
        let share = sum(&energies.f_narrow(0, all - kept, kept)?) / sum(&energies).max(1e-12);
        let basis = directions.f_narrow(1, all - kept, kept)?.tr().f_flip([0i64])?.f_to_kind(Kind::Float)?.f_contiguous()?;
        Ok((Projection { basis }, share))
    }

    /// That of a weights file, on a device; `None` where it has none: the whole embedding is then stored.
    pub fn load(weights: &Weights, device: Device) -> Result<Option<Self>, ModelError> {
        let Ok(basis) = weights.tensor(NAME) else { return Ok(None) };
        let refuse = |reason: String| Err(ModelError::Weights { name: weights.name.clone(), reason });
        match basis.size()[..] {
            [d, width] if width == EMBEDDING_DIM as i64 && d > 0 && d <= width && d % 4 == 0 => {}
            ref shape => return refuse(format!("tensor {NAME} is {shape:?}, not [a multiple of 4, {EMBEDDING_DIM}]")),
        }
        if !basis.sum(Kind::Double).double_value(&[]).is_finite() {
            return refuse(format!("tensor {NAME} holds a value that is not finite"));
        }
        Ok(Some(Projection { basis: basis.f_to_device(device)? }))
    }

    /// Number of directions, `d`.
    pub fn dimension(&self) -> usize {
        self.basis.size()[0] as usize
    }

    /// Coordinates `(n, d)` of embeddings `(n, 512)`.
    pub fn apply(&self, embeddings: &Tensor) -> Result<Tensor, ModelError> {
        Ok(embeddings.f_matmul(&self.basis.tr())?)
    }

    /// The basis, as it is stored.
    pub fn basis(&self) -> &Tensor {
        &self.basis
    }

    /// Another handle on the same basis.
    pub fn shared(&self) -> Self {
        Projection { basis: self.basis.shallow_clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::weights::save;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// Unit vectors near a subspace of `rank` directions, as embeddings are.
    fn embeddings(seed: i64, count: i64, rank: i64, noise: f64) -> Tensor {
        tch::manual_seed(seed);
        let random = |rows: i64, columns: i64| Tensor::randn([rows, columns], (Kind::Float, Device::Cpu));
        let x = random(count, rank).matmul(&random(rank, EMBEDDING_DIM as i64)) + noise * random(count, EMBEDDING_DIM as i64);
        &x / x.square().sum_dim_intlist([1i64].as_slice(), true, Kind::Float).sqrt()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]
        #[test]
        fn dot_products_are_kept_but_for_the_lost_energy(seed in 0i64..1000, quarter in 1usize..64) {
            let x = embeddings(seed, 40, 30, 1.0);
            let (projection, share) = Projection::fit(&x, 4 * quarter).unwrap();
            prop_assert_eq!(projection.dimension(), 4 * quarter);
            let y = projection.apply(&x).unwrap();
            let lengths = |x: &Tensor| x.square().sum_dim_intlist([1i64].as_slice(), true, Kind::Float);
            // Of every vector, the squared length outside the directions kept.
            let lost = lengths(&x) - lengths(&y);
            prop_assert!((lost.mean(Kind::Float).double_value(&[]) - (1.0 - share)).abs() < 1e-4);
            prop_assert!(lost.min().double_value(&[]) > -1e-4);
            // By the inequality of Cauchy and Schwarz, what is lost of a dot product is no more than both lost lengths multiplied.
            let bound = lost.clamp_min(0.0).sqrt();
            let error = (x.matmul(&x.tr()) - y.matmul(&y.tr())).abs() - bound.matmul(&bound.tr());
            prop_assert!(error.max().double_value(&[]) < 1e-4);
        }
    }

    #[test]
    fn a_few_directions_hold_what_lies_in_them() {
        let x = embeddings(1, 100, 8, 0.0);
        let (projection, share) = Projection::fit(&x, 8).unwrap();
        assert!(share > 0.9999, "{share}");
        let identity = projection.basis().matmul(&projection.basis().tr()) - Tensor::eye(8, (Kind::Float, Device::Cpu));
        assert!(identity.abs().max().double_value(&[]) < 1e-5);
    }

    #[test]
    fn bases_of_other_shapes_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p.safetensors");
        let load = |shape: [i64; 2]| {
            let metadata = BTreeMap::from([("architecture".to_string(), "contextual".to_string())]);
            save(&[(NAME.into(), Tensor::ones(shape, (Kind::Float, Device::Cpu)))], metadata, &path).unwrap();
            Projection::load(&Weights::open(path.to_str().unwrap(), &[]).unwrap(), Device::Cpu)
        };
        assert_eq!(load([8, 512]).unwrap().unwrap().dimension(), 8);
        for shape in [[6, 512], [8, 256], [516, 512], [0, 512]] {
            assert!(load(shape).unwrap_err().to_string().contains("projection"), "{shape:?}");
        }
    }
}
