//! The directions in which embeddings differ most.

use tch::{Device, Kind, Tensor};

use qbh_models::ModelError;

/// The `dimension` directions `(dimension, 512)` that keep most of the squared length of `embeddings` `(n, 512)`, and the share that
/// they keep: an uncentred principal component analysis.
///
/// # Errors
/// What libtorch reports.
pub(super) fn principal(embeddings: &Tensor, dimension: usize) -> Result<(Tensor, f64), ModelError> {
    let _guard = tch::no_grad_guard();
    let x = embeddings.f_to_device(Device::Cpu)?.f_to_kind(Kind::Double)?;
    let (energies, directions) = x.tr().f_matmul(&x)?.f_linalg_eigh("L")?;
    // Ascending: the last ones are the largest.
    let (all, kept) = (energies.size1()?, dimension as i64);
    let sum = |values: &Tensor| values.sum(Kind::Double).double_value(&[]);
    let share = sum(&energies.f_narrow(0, all - kept, kept)?) / sum(&energies).max(1e-12);
    let basis = directions.f_narrow(1, all - kept, kept)?.tr().f_flip([0i64])?.f_to_kind(Kind::Float)?.f_contiguous()?;
    Ok((basis, share))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use qbh_models::EMBEDDING_DIM;

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
            let (basis, share) = principal(&x, 4 * quarter).unwrap();
            prop_assert_eq!(basis.size(), [4 * quarter as i64, EMBEDDING_DIM as i64]);
            let y = x.matmul(&basis.tr());
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
        let (basis, share) = principal(&x, 8).unwrap();
        assert!(share > 0.9999, "{share}");
        let identity = basis.matmul(&basis.tr()) - Tensor::eye(8, (Kind::Float, Device::Cpu));
        assert!(identity.abs().max().double_value(&[]) < 1e-5);
    }
}
