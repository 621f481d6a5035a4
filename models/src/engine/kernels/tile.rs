//! The inner loop, generic over the instruction set: products computed in tiles whose sums stay in registers.

use super::simd::Simd;
use super::{Finish, PANEL, Panels};

/// The input of a tile: what `taps` and `depth` are in [`super::Product`].
#[derive(Clone, Copy)]
pub(super) struct Input<'a> {
    pub(super) x: *const f32,
    /// From one position to the next.
    pub(super) step: usize,
    pub(super) taps: &'a [isize],
    pub(super) depth: usize,
}

impl Input<'_> {
    /// The input from the position `at` on.
    ///
    /// # Safety
    /// The position must exist.
    #[inline(always)]
    pub(super) unsafe fn moved(self, at: usize) -> Self {
        // SAFETY: as the caller promises.
        Input { x: unsafe { self.x.add(at * self.step) }, ..self }
    }
}

/// Where the weights of some panels begin.
#[derive(Clone, Copy)]
pub(super) struct Weights {
    pub(super) rows: *const f32,
    pub(super) bias: *const f32,
    /// From one panel to the next.
    pub(super) apart: usize,
}

impl Weights {
    /// Those of the panels from `panel` on.
    #[inline(always)]
    pub(super) fn of(panels: &Panels, panel: usize) -> Self {
        let (rows, bias) = panels.from(panel);
        Weights { rows, bias, apart: panels.rows() * PANEL }
    }
}

/// What becomes of the sums: those below `floor` are raised to it, what was there `before` is added, and again.
#[derive(Clone, Copy)]
pub(super) struct Output {
    pub(super) y: *mut f32,
    /// From one position to the next.
    pub(super) step: usize,
    /// Values of each position.
    pub(super) columns: usize,
    pub(super) floor: f32,
    /// Added, with the step of its positions.
    pub(super) before: Option<(*const f32, usize)>,
    pub(super) last_floor: f32,
}

impl Output {
    /// At `y`; what was there before is what is added.
    #[inline(always)]
    pub(super) fn new(y: *mut f32, step: usize, columns: usize, finish: Finish) -> Self {
        let (floor, added, last_floor) = match finish {
            Finish::Sum => (f32::NEG_INFINITY, false, f32::NEG_INFINITY),
            Finish::Relu => (0.0, false, f32::NEG_INFINITY),
            Finish::Add => (f32::NEG_INFINITY, true, f32::NEG_INFINITY),
            Finish::AddRelu => (f32::NEG_INFINITY, true, 0.0),
            Finish::ReluAdd => (0.0, true, f32::NEG_INFINITY),
        };
        Output { y, step, columns, floor, before: added.then_some((y.cast_const(), step)), last_floor }
    }

    /// The output from the position `at` on.
    ///
    /// # Safety
    /// The position must exist.
    #[inline(always)]
    pub(super) unsafe fn moved(self, at: usize) -> Self {
        // SAFETY: as the caller promises.
        unsafe {
            let before = self.before.map(|(before, step)| (before.add(at * step), step));
            Output { y: self.y.add(at * self.step), before, ..self }
        }
    }
}

/// Computes `R` positions of `V` registers each.
///
/// # Safety
/// All that the taps reach must be readable at all positions, the panels and `before` too; `y` must be writable.
#[inline(always)]
pub(super) unsafe fn tile<S: Simd, const R: usize, const V: usize>(input: Input, weights: Weights, output: Output) {
    // SAFETY: as the caller promises; `whole` has room for the columns of all registers.
    unsafe {
        let sums = sums::<S, R, V>(input, weights);
        for (r, sums) in sums.iter().enumerate() {
            let y = output.y.add(r * output.step);
            let before = output.before.map(|(before, step)| before.add(r * step));
            if output.columns >= V * S::LANES {
                store(sums, y, before, output);
            } else {
                let mut whole = [0.0f32; 3 * PANEL];
                let mut added = [0.0f32; 3 * PANEL];
                if let Some(before) = before {
                    std::ptr::copy_nonoverlapping(before, added.as_mut_ptr(), output.columns);
                }
                store(sums, whole.as_mut_ptr(), before.map(|_| added.as_ptr()), output);
                std::ptr::copy_nonoverlapping(whole.as_ptr(), y, output.columns);
            }
        }
    }
}

/// # Safety
/// As for [`tile`].
#[inline(always)]
unsafe fn sums<S: Simd, const R: usize, const V: usize>(input: Input, weights: Weights) -> [[S; V]; R] {
    // SAFETY: as the caller promises.
    unsafe {
        let per_panel = PANEL / S::LANES;
        let place = |v: usize| (v / per_panel, v % per_panel * S::LANES);
        let mut start = [S::splat(0.0); V];
        for (v, start) in start.iter_mut().enumerate() {
            *start = S::load(weights.bias.add(place(v).0 * PANEL + place(v).1));
        }
        let mut sums = [start; R];
        let mut row = weights.rows;
        for &tap in input.taps {
            let x = input.x.offset(tap);
            for k in 0..input.depth {
                let mut w = [S::splat(0.0); V];
                for (v, w) in w.iter_mut().enumerate() {
                    *w = S::load(row.add(place(v).0 * weights.apart + place(v).1));
                }
                for (r, sums) in sums.iter_mut().enumerate() {
                    let value = S::splat(*x.add(r * input.step + k));
                    for (sum, w) in sums.iter_mut().zip(w) {
                        *sum = value.mul_add(w, *sum);
                    }
                }
                row = row.add(PANEL);
            }
        }
        sums
    }
}

/// # Safety
/// All registers must fit at `y` and `before`.
#[inline(always)]
unsafe fn store<S: Simd, const V: usize>(sums: &[S; V], y: *mut f32, before: Option<*const f32>, output: Output) {
    // SAFETY: as the caller promises.
    unsafe {
        let (floor, last_floor) = (S::splat(output.floor), S::splat(output.last_floor));
        for (v, &sum) in sums.iter().enumerate() {
            let mut value = sum.max(floor);
            if let Some(before) = before {
                value = value.add(S::load(before.add(v * S::LANES)));
            }
            value.max(last_floor).store(y.add(v * S::LANES));
        }
    }
}
