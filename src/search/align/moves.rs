//! What of an alignment is melody: the changes of pitch that hum and song make together.

/// How far a pitch must move to count, semitones.
const MOVE: f32 = 0.6;

/// The changes of pitch that hum and song make together: in the same direction, not more than a step of the path apart.
///
/// Held notes earn an alignment score without telling much: many a song holds that pitch class somewhere. Moves made together are
/// the melody.
pub fn moves(hum: &[u16], song: &[u16], path: &[(usize, usize)]) -> usize {
    const THRESHOLD: i16 = (MOVE * 65536.0 / 12.0) as i16;
    let direction = |from: u16, to: u16| {
        let interval = to.wrapping_sub(from) as i16;
        if interval.unsigned_abs() > THRESHOLD.unsigned_abs() { interval.signum() } else { 0 }
    };
    let hummed: Vec<i16> = path.windows(2).map(|step| direction(hum[step[0].0], hum[step[1].0])).collect();
    let sung: Vec<i16> = path.windows(2).map(|step| direction(song[step[0].1], song[step[1].1])).collect();
    let together = |&i: &usize| hummed[i] != 0 && sung[i.saturating_sub(1)..(i + 2).min(sung.len())].contains(&hummed[i]);
    (0..hummed.len()).filter(together).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::align::tests::classes;

    #[test]
    fn moves_count_where_both_move_the_same_way() {
        let hum = classes(&[60.0, 60.0, 62.0, 62.0, 59.0, 59.0, 64.0]);
        let diagonal: Vec<(usize, usize)> = (0..7).map(|i| (i, i)).collect();
        assert_eq!(moves(&hum, &hum, &diagonal), 3);
        // The first move comes a frame late, the second is missing, the third goes the other way.
        let song = classes(&[60.0, 60.0, 60.0, 62.0, 62.0, 62.0, 58.0]);
        assert_eq!(moves(&hum, &song, &diagonal), 1);
        assert_eq!(moves(&hum, &classes(&[60.0; 7]), &diagonal), 0);
        assert_eq!(moves(&hum, &song, &[]), 0);
    }
}
