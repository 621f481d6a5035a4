//! The median, as everything here takes it.

use std::cmp::Ordering;

/// The median of `values`, which are reordered: of an even number, the upper one of the two in the middle. `None` of nothing.
pub fn median<T: Copy>(values: &mut [T], order: fn(&T, &T) -> Ordering) -> Option<T> {
    let middle = values.len() / 2;
    (!values.is_empty()).then(|| *values.select_nth_unstable_by(middle, order).1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_value_or_the_upper_one_of_two() {
        assert_eq!(median(&mut [3.0, 1.0, 2.0], f32::total_cmp), Some(2.0));
        assert_eq!(median(&mut [4.0, 1.0, 3.0, 2.0], f64::total_cmp), Some(3.0));
        assert_eq!(median(&mut [], f32::total_cmp), None);
    }
}
