//! What the kernels need of an instruction set: a register of f32 and a few operations on it.

/// A register of [`Simd::LANES`] values.
///
/// Everything is inlined into functions that carry the instruction set's `#[target_feature]`; nothing else may call it.
pub(super) trait Simd: Copy {
    /// Values in a register; divides [`super::PANEL`].
    const LANES: usize;

    /// # Safety
    /// The machine must have the instruction set.
    unsafe fn splat(value: f32) -> Self;
    /// # Safety
    /// As for `splat`; `LANES` values must be readable at `from`.
    unsafe fn load(from: *const f32) -> Self;
    /// # Safety
    /// As for `splat`; `LANES` values must be writable at `to`.
    unsafe fn store(self, to: *mut f32);
    /// `self * factor + summand`.
    /// # Safety
    /// As for `splat`.
    unsafe fn mul_add(self, factor: Self, summand: Self) -> Self;
    /// # Safety
    /// As for `splat`.
    unsafe fn add(self, other: Self) -> Self;
    /// # Safety
    /// As for `splat`.
    unsafe fn max(self, other: Self) -> Self;
}
