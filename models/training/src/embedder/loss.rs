//! Contrastive losses over a batch of pairs.

use tch::{Device, Kind, Reduction, Tensor};

/// What is minimised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// Symmetric InfoNCE with a learned temperature (van den Oord et al. 2018; Radford et al. 2021).
    InfoNce,
    /// Triplets with margin 0.5 on the cosine and four negatives (D. Jeong's melody embedding).
    Triplet,
}

/// Margin of the triplets.
const MARGIN: f64 = 0.5;
/// Negatives per anchor of the triplets.
const NEGATIVES: i64 = 4;
/// Upper bound of the inverse temperature.
const STEEPEST: f64 = 60.0;
/// Added to the scores of pairs of one tune, which are neither positive nor negative.
const MASKED: f64 = -1e4;

/// Cosines of all hums with all songs, those of other pairs of the same tune masked. `(pairs, pairs)`.
pub(super) fn scores(hums: &Tensor, songs: &Tensor, groups: &[i64]) -> Tensor {
    hums.matmul(&songs.transpose(0, 1)) + same_tune(groups, hums.device()) * MASKED
}

/// 1 where two different pairs are of one tune, else 0.
fn same_tune(groups: &[i64], device: Device) -> Tensor {
    let groups = Tensor::from_slice(groups).to_device(device);
    let same = groups.unsqueeze(0).eq_tensor(&groups.unsqueeze(1));
    same.to_kind(Kind::Float) - Tensor::eye(groups.size()[0], (Kind::Float, groups.device()))
}

/// The loss of a batch, from its [`scores`]; `log_inverse_temperature` is a learned scalar (InfoNCE only).
pub(super) fn loss(kind: Loss, scores: &Tensor, log_inverse_temperature: &Tensor) -> Tensor {
    let pairs = scores.size()[0];
    match kind {
        Loss::InfoNce => {
            let target = Tensor::arange(pairs, (Kind::Int64, scores.device()));
            let logits = scores * log_inverse_temperature.exp().clamp_max(STEEPEST);
            let across = |logits: &Tensor| logits.cross_entropy_loss(&target, None::<Tensor>, Reduction::Mean, -100, 0.0);
            (across(&logits) + across(&logits.transpose(0, 1))) * 0.5
        }
        Loss::Triplet => {
            let positive = scores.diagonal(0, 0, 1);
            let losses: Vec<Tensor> = (1..=NEGATIVES.min(pairs - 1))
                .map(|k| {
                    // The k-th negative of each hum is the song k rows further, cyclically.
                    let negative = scores.roll([-k], [1]).diagonal(0, 0, 1);
                    (negative - &positive + MARGIN).relu()
                })
                .collect();
            Tensor::stack(&losses, 0).mean(Kind::Float)
        }
    }
}

/// Share of hums whose own song scores highest.
pub(super) fn accuracy(scores: &Tensor) -> f64 {
    let target = Tensor::arange(scores.size()[0], (Kind::Int64, scores.device()));
    scores.argmax(1, false).eq_tensor(&target).to_kind(Kind::Float).mean(Kind::Float).double_value(&[])
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Device;

    fn basis() -> Tensor {
        Tensor::eye(6, (Kind::Float, Device::Cpu))
    }

    #[test]
    fn right_pairs_cost_less_than_wrong_ones() {
        let steep = Tensor::from(3.0f32);
        let groups = [1, 2, 3, 4, 5, 6];
        let right = scores(&basis(), &basis(), &groups);
        let wrong = scores(&basis(), &basis().roll([1], [0]), &groups);
        assert_eq!(accuracy(&right), 1.0);
        assert_eq!(accuracy(&wrong), 0.0);
        for kind in [Loss::InfoNce, Loss::Triplet] {
            let (low, high) = (loss(kind, &right, &steep).double_value(&[]), loss(kind, &wrong, &steep).double_value(&[]));
            assert!(low < 0.01 && high > 0.3, "{kind:?}: {low} {high}");
        }
    }

    #[test]
    fn versions_of_one_tune_are_no_negatives() {
        // Pairs 0 and 1 are one tune with the same embedding: without the mask each would be the other's best negative.
        let same = Tensor::cat(&[basis().narrow(0, 0, 1), basis().narrow(0, 0, 1), basis().narrow(0, 2, 1)], 0);
        let steep = Tensor::from(3.0f32);
        let masked = loss(Loss::InfoNce, &scores(&same, &same, &[1, 1, 2]), &steep).double_value(&[]);
        let open = loss(Loss::InfoNce, &scores(&same, &same, &[1, 3, 2]), &steep).double_value(&[]);
        assert!(masked < 0.01 && open > 0.3, "{masked} {open}");
    }
}
