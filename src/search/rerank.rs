//! Reranks the first songs, by a network that sees hum and song side by side.

use qbh_models::ModelError;
use qbh_models::reranker::{Pair, Reranker};
use rayon::prelude::*;

use super::align::{Aligner, EIGHTHS, Place, part};
use super::rank::{RankedSong, sort};
use super::trim::TrimmedHum;

/// Songs that the reranker looks at.
const RERANKED: usize = 60;

/// Orders a ranking anew by what the reranker makes of its first songs; the others count as the least likely of these.
///
/// # Errors
/// What the reranker reports.
pub fn rerank(reranker: &Reranker, hum: &TrimmedHum, mut ranked: Vec<RankedSong>) -> Result<Vec<RankedSong>, ModelError> {
    let first = &ranked[..ranked.len().min(RERANKED)];
    let log_odds = log_odds(reranker, hum, first)?;
    reorder(&mut ranked, &log_odds);
    Ok(ranked)
}

/// The hum beside the places of a song, along its alignment; `None` where that is nothing, or the same as at another place.
pub fn pairs(hum: &TrimmedHum, ranked: &RankedSong) -> Vec<Option<Pair>> {
    let contour = &ranked.song.contour;
    let pair = |place: &Place| {
        let (song, shift) = (part(contour, place.passage), place.alignment.shift);
        let reading = hum.reading(place.passage.slowed);
        let path = Aligner::new(&reading.sequence.class).path(&song.class, shift);
        let steps: Vec<(u32, u32)> = path.iter().map(|&(i, j)| (reading.sequence.step[i], song.step[j])).collect();
        Pair::new(reading.steps, contour, &steps, f32::from(shift) / EIGHTHS)
    };
    let mut pairs: Vec<Option<Pair>> = Vec::new();
    for pair in ranked.places.iter().map(pair) {
        pairs.push(pair.filter(|pair| !pairs.iter().flatten().any(|other| other == pair)));
    }
    pairs
}

/// The log-odds of each pair of each song, of which there may be none.
fn log_odds(reranker: &Reranker, hum: &TrimmedHum, ranked: &[RankedSong]) -> Result<Vec<Vec<Option<f32>>>, ModelError> {
    // Copies of a song stand side by side. They are looked at once: in a batch, what a network makes of equal inputs differs in the last digits.
    let copy = |a: &RankedSong, b: &RankedSong| a.places == b.places && a.song.contour == b.song.contour;
    let is_copy = |i: usize| i > 0 && copy(&ranked[i - 1], &ranked[i]);
    let songs: Vec<Vec<Option<Pair>>> =
        (0..ranked.len()).into_par_iter().map(|i| if is_copy(i) { Vec::new() } else { pairs(hum, &ranked[i]) }).collect();
    let there: Vec<Vec<bool>> = songs.iter().map(|pairs| pairs.iter().map(Option::is_some).collect()).collect();
    let mut scores = reranker.score(&songs.into_iter().flatten().flatten().collect::<Vec<_>>())?.into_iter();
    let mut odds: Vec<Vec<Option<f32>>> = Vec::with_capacity(ranked.len());
    for (i, there) in there.into_iter().enumerate() {
        let own = there.into_iter().map(|is_there| if is_there { scores.next() } else { None }).collect();
        odds.push(if is_copy(i) { odds[i - 1].clone() } else { own });
    }
    Ok(odds)
}

/// Orders a ranking anew by the log-odds of its first songs, one for each of a song's places, where there is one. Odds of a song's places
/// add up; songs without any count as the least likely one.
fn reorder(ranked: &mut [RankedSong], log_odds: &[Vec<Option<f32>>]) {
    let sums: Vec<Option<f32>> = log_odds.iter().map(|places| sum_of_odds(places.iter().flatten().copied())).collect();
    let Some(least) = sums.iter().flatten().copied().min_by(f32::total_cmp) else { return };
    for (rank, song) in ranked.iter_mut().enumerate() {
        song.evidence.log_odds = sums.get(rank).copied().flatten().unwrap_or(least);
        let likeliest = log_odds.get(rank).and_then(|places| {
            let known = places.iter().enumerate().filter_map(|(place, odds)| Some((place, (*odds)?)));
            known.max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))
        });
        if let Some((likeliest, _)) = likeliest {
            song.places[..=likeliest].rotate_right(1);
        }
    }
    sort(ranked);
}

/// The logarithm of the sum of odds, from their logarithms; `None` of none.
fn sum_of_odds(log_odds: impl Iterator<Item = f32> + Clone) -> Option<f32> {
    let most = log_odds.clone().max_by(f32::total_cmp)?;
    Some(most + log_odds.map(|odds| (odds - most).exp()).sum::<f32>().ln())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::rank::rank;
    use crate::search::tests::stages::{fetched, place};

    fn keys(ranked: &[RankedSong]) -> Vec<&str> {
        ranked.iter().map(|r| r.song.song.key.as_str()).collect()
    }

    #[test]
    fn log_odds_move_the_first_songs_and_the_others_stay_behind() {
        let of = |key, z| (fetched(key, z), vec![place(0.0, 0.0)]);
        let mut ranked = rank([of("0", 3.0), of("1", 2.9), of("2", 2.8), of("3", 2.5)]);
        reorder(&mut ranked, &[vec![Some(-4.0)], vec![Some(2.0)], vec![None]]);
        assert_eq!(keys(&ranked), ["1", "0", "2", "3"]);
        assert_eq!(ranked.iter().map(|r| r.evidence.log_odds).collect::<Vec<_>>(), [2.0, -4.0, -4.0, -4.0]);
        let before = ranked.clone();
        reorder(&mut ranked, &[vec![None], Vec::new()]);
        assert_eq!(keys(&ranked), keys(&before));
    }

    #[test]
    fn odds_of_places_add_up_and_the_likeliest_is_shown() {
        let mut ranked = rank([(fetched("0", 1.0), vec![place(0.5, 0.0), place(0.4, 0.0), place(0.3, 0.0)])]);
        reorder(&mut ranked, &[vec![Some(-1.0), None, Some(1.0)]]);
        assert!((ranked[0].evidence.log_odds - (1f32.exp() + (-1f32).exp()).ln()).abs() < 1e-5);
        assert_eq!(ranked[0].places.iter().map(|p| p.alignment.score).collect::<Vec<_>>(), [0.3, 0.5, 0.4]);
        assert_eq!(ranked[0].evidence.alignment, 0.5, "what the ranking is made of stays");
    }
}
