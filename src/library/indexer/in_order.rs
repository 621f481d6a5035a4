//! Results in the order of the plan, whichever thread was faster.

use std::collections::BTreeMap;

/// Holds back what came before its turn.
pub(super) struct InOrder<T> {
    next: usize,
    early: BTreeMap<usize, T>,
}

impl<T> InOrder<T> {
    pub(super) fn new() -> Self {
        InOrder { next: 0, early: BTreeMap::new() }
    }

    /// Takes what belongs at position `at`, from 0 on without gaps, and hands out all whose turn it is now.
    pub(super) fn pass(&mut self, at: usize, item: T) -> Vec<T> {
        self.early.insert(at, item);
        let mut due = Vec::new();
        while let Some(item) = self.early.remove(&self.next) {
            due.push(item);
            self.next += 1;
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_early_waits() {
        let mut order = InOrder::new();
        let passed: Vec<Vec<usize>> = [2, 0, 1, 4, 5, 3].into_iter().map(|at| order.pass(at, at)).collect();
        assert_eq!(passed, [vec![], vec![0], vec![1, 2], vec![], vec![], vec![3, 4, 5]]);
    }
}
