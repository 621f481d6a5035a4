//! What one call of a kernel computes, generic over the instruction set: `R` positions a tile, `V` registers a panel and `H` registers
//! half a panel.

use std::marker::PhantomData;

use super::simd::Simd;
use super::tile::{Input, Output, Weights, tile};
use super::{Finish, MOST_FUSED, PANEL, Panels, Plane, Product, Recurrence, Run, math};

/// Most positions of a tile, of all instruction sets.
const MOST_ROWS: usize = 12;

/// Something computed for some positions at a time.
trait Tiles {
    /// Computes `R` positions from the position `at` on.
    ///
    /// # Safety
    /// The positions must exist.
    unsafe fn tile<const R: usize>(&self, at: usize);
}

/// `count` positions in tiles of `R`, and what is left over in smaller ones.
///
/// # Safety
/// The positions must exist.
#[inline(always)]
unsafe fn in_tiles<const R: usize>(tiles: &impl Tiles, count: usize) {
    let mut at = 0;
    // SAFETY: no tile goes beyond `count`.
    unsafe {
        while count - at >= R {
            tiles.tile::<R>(at);
            at += R;
        }
        while count - at >= 4 {
            tiles.tile::<4>(at);
            at += 4;
        }
        while count - at >= 2 {
            tiles.tile::<2>(at);
            at += 2;
        }
        if count > at {
            tiles.tile::<1>(at);
        }
    }
}

/// One panel of a product.
struct OnePanel<'a, S, const V: usize> {
    input: Input<'a>,
    weights: Weights,
    output: Output,
    simd: PhantomData<S>,
}

impl<S: Simd, const V: usize> Tiles for OnePanel<'_, S, V> {
    #[inline(always)]
    unsafe fn tile<const R: usize>(&self, at: usize) {
        // SAFETY: as the caller promises.
        unsafe { tile::<S, R, V>(self.input.moved(at), self.weights, self.output.moved(at)) }
    }
}

/// # Safety
/// `x` and `y` must hold all that the product reaches in the plane; the machine must have the instruction set.
#[inline(always)]
pub(super) unsafe fn product<S: Simd, const R: usize, const V: usize, const H: usize>(
    product: &Product,
    plane: &Plane,
    x: *const f32,
    y: *mut f32,
) {
    let panels = product.panels;
    for panel in 0..panels.count() {
        let weights = Weights::of(panels, panel);
        let columns = panels.columns() - panel * PANEL;
        for run in plane.runs(R) {
            // SAFETY: as the caller promises.
            unsafe {
                let input = Input { x: x.add(run.x), step: run.x_step, taps: product.taps, depth: product.depth };
                let y = y.add(run.y + panel * PANEL);
                let output = Output::new(y, run.y_step, columns, product.finish);
                if columns <= PANEL / 2 {
                    in_tiles::<R>(&OnePanel::<S, H> { input, weights, output, simd: PhantomData }, run.count);
                } else {
                    in_tiles::<R>(&OnePanel::<S, V> { input, weights, output, simd: PhantomData }, run.count);
                }
            }
        }
    }
}

/// A product, rectified, through another one, added to its input and rectified again: tile by tile, all channels at once.
struct ResidualTiles<'a, S, const V: usize> {
    spread: &'a Product<'a>,
    mix: &'a Panels,
    x: *const f32,
    y: *mut f32,
    run: Run,
    /// Room for what lies between the products.
    between: *mut f32,
    simd: PhantomData<S>,
}

impl<S: Simd, const V: usize> Tiles for ResidualTiles<'_, S, V> {
    #[inline(always)]
    unsafe fn tile<const R: usize>(&self, at: usize) {
        let (run, channels) = (self.run, self.mix.columns());
        // SAFETY: as the caller promises; `between` has room for `R` positions of all channels, which are whole panels.
        unsafe {
            let x = self.x.add(run.x + at * run.x_step);
            let input = Input { x, step: run.x_step, taps: self.spread.taps, depth: self.spread.depth };
            for panel in 0..self.mix.count() {
                let output = Output::new(self.between.add(panel * PANEL), channels, channels, Finish::Relu);
                tile::<S, R, V>(input, Weights::of(self.spread.panels, panel), output);
            }
            let input = Input { x: self.between, step: channels, taps: &[0], depth: channels };
            for panel in 0..self.mix.count() {
                let y = self.y.add(run.y + at * run.y_step + panel * PANEL);
                let before = Some((x.add(panel * PANEL), run.x_step));
                let output = Output { before, ..Output::new(y, run.y_step, channels, Finish::AddRelu) };
                tile::<S, R, V>(input, Weights::of(self.mix, panel), output);
            }
        }
    }
}

/// # Safety
/// As for [`product`]; `spread` and `mix` must have equally many columns, whole panels and no more than [`MOST_FUSED`].
#[inline(always)]
pub(super) unsafe fn residual<S: Simd, const R: usize, const V: usize>(
    (spread, mix): (&Product, &Panels),
    plane: &Plane,
    x: *const f32,
    y: *mut f32,
) {
    let mut between = [0.0f32; MOST_ROWS * MOST_FUSED * PANEL];
    for run in plane.runs(R) {
        let tiles = ResidualTiles::<S, V> { spread, mix, x, y, run, between: between.as_mut_ptr(), simd: PhantomData };
        // SAFETY: as the caller promises.
        unsafe { in_tiles::<R>(&tiles, run.count) };
    }
}

/// # Safety
/// `given`, `state`, `gates` and `y` must have the lengths that [`super::Kernel::recur`] asserts.
/// `V3` registers are three panels.
#[inline(always)]
pub(super) unsafe fn recur<S: Simd, const V: usize, const V3: usize>(r: &mut Recurrence) {
    let (frames, hidden) = (r.frames, r.panels.rows());
    r.state.fill(0.0);
    for step in 0..frames {
        let frame = if r.backwards { frames - 1 - step } else { step };
        let input = Input { x: r.state.as_ptr(), step: 0, taps: &[0], depth: hidden };
        let mut panel = 0;
        // Many panels at once: a single position has too few sums to keep the multipliers busy.
        while panel < r.panels.count() {
            let columns = r.panels.columns() - panel * PANEL;
            let output = Output::new(r.gates[panel * PANEL..].as_mut_ptr(), 0, columns, Finish::Sum);
            // SAFETY: as the caller promises.
            unsafe {
                if panel + 3 <= r.panels.count() {
                    tile::<S, 1, V3>(input, Weights::of(r.panels, panel), output);
                    panel += 3;
                } else {
                    tile::<S, 1, V>(input, Weights::of(r.panels, panel), output);
                    panel += 1;
                }
            }
        }
        math::gate(&r.given[frame * r.given_step..][..3 * hidden], r.gates, r.state);
        r.y[frame * r.y_step..][..hidden].copy_from_slice(r.state);
    }
}
