//! Calibrates: how sure a match is, the probability that the song ranked there is the one that was hummed.

use super::rank::Evidence;

/// From this confidence on an answer counts as found.
pub const CONFIDENT: f32 = 0.5;

/// A song's score is held against the mean score of this many best others, and against the best one alone: versions of one
/// song, and many songs alike, are different reasons to doubt.
pub(crate) const RIVALS: usize = 10;

/// What the rivals of a hum score in libraries of some hundred songs. A library of fewer than eleven songs is filled up with it.
const USUAL_RIVAL: f32 = 2.83;

/// Features of the logistic model, in the order of its weights.
pub(crate) const FEATURES: usize = 8;

/// Log-odds beyond this are no surer.
const SUREST: f32 = 8.0;

/// The logistic model, fitted by `qbh eval fit` to 607 hums, many of them short, in 2428 libraries of 1 to 5378 songs, one in four without the right
/// song. On hums held out its calibration error is .01 to .04 in libraries of below 20, below 700 and more songs.
const INTERCEPT: f32 = -1.86;
const WEIGHTS: [f32; FEATURES] = [0.44, 0.27, 1.33, -0.33, -2.87, -5.20, 0.20, 0.16];

/// The confidences of the first `count` songs of a ranking in a library of `songs`, 0..=1.
///
/// A logistic model of the [`features`]. As one song was hummed, a song gets no more than the better ones leave, and no more than the one before it;
/// a first one that another surpasses by these features gets no more than its share of both.
pub fn calibrate(ranking: &[Evidence], songs: usize, count: usize) -> Vec<f32> {
    let told = |place| features(ranking, place, songs, USUAL_RIVAL).map(|features| probability(&features));
    let told: Vec<f32> = (0..count.max(1 + RIVALS)).map_while(told).collect();
    let first = told.first().copied().unwrap_or(0.0);
    let rival = told.iter().skip(1).take(RIVALS).copied().fold(0.0, f32::max);
    let (mut left, mut most) = (1.0f32, if rival > first { first / (first + rival) } else { 1.0 });
    told.into_iter()
        .take(count)
        .map(|told| {
            most = told.min(most).min(left);
            left -= most;
            most
        })
        .collect()
}

fn probability(features: &[f32; FEATURES]) -> f32 {
    let logit = INTERCEPT + WEIGHTS.iter().zip(features).map(|(weight, feature)| weight * feature).sum::<f32>();
    1.0 / (1.0 + (-logit).exp())
}

/// Margin of the score over the rivals and over the best other; deviation of the votes; the logarithm of the number of songs (the
/// more there are, the better the best of the wrong ones is by chance); by how much another song has the better alignment and
/// moves (a song that leads in the sum only is rarely the right one); the reranker's log-odds, and by how much they are above
/// those of the likeliest other.
pub(crate) fn features(ranking: &[Evidence], place: usize, songs: usize, usual_rival: f32) -> Option<[f32; FEATURES]> {
    let own = ranking.get(place)?;
    let others = || {
        let others = ranking.iter().enumerate().filter(|&(i, _)| i != place).map(|(_, other)| other.score());
        others.chain(std::iter::repeat(usual_rival))
    };
    let rivals = others().take(RIVALS).sum::<f32>() / RIVALS as f32;
    let best = others().next().unwrap_or(usual_rival);
    let shortfall = |part: fn(&Evidence) -> f32| ranking.iter().map(part).fold(part(own), f32::max) - part(own);
    let log_odds = |song: &Evidence| song.log_odds.clamp(-SUREST, SUREST);
    let other_places = ranking.iter().enumerate().filter(|&(i, _)| i != place);
    let most_likely_other = other_places.map(|(_, other)| log_odds(other)).fold(-SUREST, f32::max);
    Some([
        own.score() - rivals,
        own.score() - best,
        own.z,
        (songs.max(1) as f32).ln(),
        shortfall(|song| song.alignment),
        shortfall(|song| song.moves),
        log_odds(own),
        log_odds(own) - most_likely_other,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Songs of the votes, alignment scores, moves and log-odds given.
    fn ranking(songs: &[(f32, f32, f32, f32)]) -> Vec<Evidence> {
        songs.iter().map(|&(z, alignment, moves, log_odds)| Evidence { z, alignment, moves, log_odds }).collect()
    }

    fn alike(songs: usize) -> impl Iterator<Item = (f32, f32, f32, f32)> {
        (0..songs).map(|i| (1.9 - 0.01 * i as f32, 0.4, 0.1, -4.0))
    }

    #[test]
    fn a_clear_winner_is_sure_and_its_rivals_are_not() {
        let songs: Vec<_> = [(4.6, 0.8, 0.25, 3.0)].into_iter().chain(alike(30)).collect();
        let confidences = calibrate(&ranking(&songs), 500, 5);
        assert_eq!(confidences.len(), 5);
        assert!(confidences[0] > 0.9 && confidences[1] < 0.1 && confidences.iter().sum::<f32>() <= 1.0001, "{confidences:?}");
    }

    #[test]
    fn who_leads_in_the_sum_alone_is_less_sure() {
        let with = |second| {
            let songs: Vec<_> = [(2.8, 0.6, 0.2, 1.0), second].into_iter().chain(alike(30)).collect();
            calibrate(&ranking(&songs), 500, 2)
        };
        let (leads, disputed) = (with((2.4, 0.5, 0.1, -1.0)), with((0.7, 0.75, 0.27, 3.0)));
        assert!(disputed[0] < leads[0] - 0.1, "{disputed:?} and {leads:?}");
        assert!(leads[0] >= leads[1] && disputed[0] >= disputed[1]);
    }

    #[test]
    fn of_two_that_tie_none_is_sure() {
        let songs: Vec<_> = [(4.6, 0.7, 0.25, 1.0), (4.5, 0.75, 0.26, 3.0)].into_iter().chain(alike(30)).collect();
        let confidences = calibrate(&ranking(&songs), 500, 2);
        assert!(confidences[0] < 0.5 && confidences[0] >= confidences[1] && confidences[1] > 0.3, "{confidences:?}");
    }

    #[test]
    fn one_of_many_alike_is_not_sure() {
        let songs: Vec<_> = alike(30).collect();
        assert!(calibrate(&ranking(&songs), 500, 1)[0] < CONFIDENT);
    }

    #[test]
    fn the_same_margin_says_less_among_more_songs() {
        let songs: Vec<_> = [(3.0, 0.5, 0.15, 0.0)].into_iter().chain(alike(30)).collect();
        let sure = |count| calibrate(&ranking(&songs), count, 1)[0];
        assert!(sure(31) > sure(30_000));
    }

    #[test]
    fn a_library_of_one_song_is_sure_of_a_good_match_only() {
        assert!(calibrate(&ranking(&[(4.6, 0.8, 0.25, 3.0)]), 1, 9)[0] > 0.9);
        assert!(calibrate(&ranking(&[(0.8, 0.3, 0.08, -4.0)]), 1, 9)[0] < 0.2);
        assert!(calibrate(&[], 0, 9).is_empty());
    }
}
