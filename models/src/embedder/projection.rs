//! What of an embedding is stored and compared: its coordinates along the directions in which embeddings differ.

use std::sync::Arc;

use crate::engine::{Finish, Kernel, Panels, Plane, linear};
use crate::nn::weights::Weights;
use crate::{EMBEDDING_DIM, Embedding, ModelError};

/// Its tensor in a weights file.
pub const NAME: &str = "projection";

/// An orthonormal basis of `d` directions, the tensor `(d, 512)` of a weights file.
///
/// An uncentred principal component analysis: the first eigenvectors of the second moments of embeddings of songs and hums. What is
/// left of an embedding is not normalised again, so that dot products are those of the embeddings less what the directions left out
/// would add.
#[derive(Debug, Clone)]
pub struct Projection {
    basis: Arc<Panels>,
}

impl Projection {
    /// That of a weights file; `None` where it has none: the whole embedding is then stored.
    ///
    /// # Errors
    /// A tensor of that name is no basis.
    pub fn load(weights: &Weights) -> Result<Option<Self>, ModelError> {
        let Ok(basis) = weights.array(NAME) else { return Ok(None) };
        let refuse = |reason: String| Err(ModelError::Weights { name: weights.name.clone(), reason });
        let dimension = match basis.shape[..] {
            [d, EMBEDDING_DIM] if d > 0 && d <= EMBEDDING_DIM && d % 4 == 0 => d,
            ref shape => return refuse(format!("tensor {NAME} is {shape:?}, not [a multiple of 4, {EMBEDDING_DIM}]")),
        };
        if !basis.values.iter().all(|x| x.is_finite()) {
            return refuse(format!("tensor {NAME} holds a value that is not finite"));
        }
        let weight = |row: usize, column: usize| basis.values[column * EMBEDDING_DIM + row];
        Ok(Some(Projection { basis: Arc::new(Panels::new(EMBEDDING_DIM, &vec![0.0; dimension], weight)) }))
    }

    /// Number of directions, `d`.
    pub fn dimension(&self) -> usize {
        self.basis.columns()
    }

    /// Coordinates of embeddings, `d` values each.
    pub fn apply(&self, embeddings: &[Embedding]) -> Vec<f32> {
        let plane = Plane::line(embeddings.len(), EMBEDDING_DIM, self.dimension());
        let mut out = vec![0.0; embeddings.len() * self.dimension()];
        linear(Kernel::best(), &self.basis, Finish::Sum, &plane, embeddings.as_flattened(), &mut out);
        out
    }
}

#[cfg(test)]
#[cfg(feature = "torch")]
mod tests {
    use super::*;
    use crate::nn::variables::save;
    use std::collections::BTreeMap;
    use tch::{Device, Kind, Tensor};

    fn load(basis: Tensor) -> Result<Option<Projection>, ModelError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p.safetensors");
        let metadata = BTreeMap::from([("architecture".to_string(), "contextual".to_string())]);
        save(&[(NAME.into(), basis)], metadata, &path).unwrap();
        Projection::load(&Weights::open(path.to_str().unwrap(), &[]).unwrap())
    }

    #[test]
    fn coordinates_are_dot_products_with_the_directions() {
        let basis = Tensor::randn([12, EMBEDDING_DIM as i64], (Kind::Float, Device::Cpu));
        let projection = load(basis.shallow_clone()).unwrap().unwrap();
        let embeddings: Vec<Embedding> = (0..3).map(|i| std::array::from_fn(|k| ((i * 7 + k * 3) % 11) as f32 / 11.0)).collect();
        let y = projection.apply(&embeddings);
        let basis = Vec::<f32>::try_from(basis.to_kind(Kind::Half).to_kind(Kind::Float).view([-1])).unwrap();
        for (embedding, y) in embeddings.iter().zip(y.chunks(12)) {
            for (direction, y) in basis.chunks(EMBEDDING_DIM).zip(y) {
                let wanted: f32 = embedding.iter().zip(direction).map(|(a, b)| a * b).sum();
                assert!((y - wanted).abs() < 1e-3, "{y} against {wanted}");
            }
        }
    }

    #[test]
    fn bases_of_other_shapes_are_refused() {
        let ones = |shape: [i64; 2]| load(Tensor::ones(shape, (Kind::Float, Device::Cpu)));
        assert_eq!(ones([8, 512]).unwrap().unwrap().dimension(), 8);
        for shape in [[6, 512], [8, 256], [516, 512], [0, 512]] {
            assert!(ones(shape).unwrap_err().to_string().contains("projection"), "{shape:?}");
        }
        assert!(load(Tensor::full([8, 512], f64::NAN, (Kind::Float, Device::Cpu))).is_err());
    }
}
