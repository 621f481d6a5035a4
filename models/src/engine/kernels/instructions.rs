//! The instruction sets: plain Rust, AVX2 with FMA, AVX-512, NEON.

#[cfg(target_arch = "aarch64")]
use std::arch::aarch64::*;
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

use super::simd::Simd;

/// Whole panels as arrays, which the compiler turns into whatever the target has.
#[derive(Clone, Copy)]
pub(super) struct Plain([f32; 4]);

impl Simd for Plain {
    const LANES: usize = 4;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        Plain([value; 4])
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: readable, as the caller promises; an array of f32 is aligned as f32 is.
        unsafe { Plain(*from.cast()) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: writable, as the caller promises.
        unsafe { *to.cast() = self.0 }
    }
    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, summand: Self) -> Self {
        // Not `f32::mul_add`, which is a function call where the target has no such instruction.
        Plain(std::array::from_fn(|i| self.0[i] * factor.0[i] + summand.0[i]))
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        Plain(std::array::from_fn(|i| self.0[i] + other.0[i]))
    }
    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        Plain(std::array::from_fn(|i| if self.0[i] > other.0[i] { self.0[i] } else { other.0[i] }))
    }
}

/// A register type over intrinsics; the safety of each is that of the trait's method.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
macro_rules! register {
    ($name:ident, $inner:ty, $lanes:literal, $splat:ident, $load:ident, $store:ident, $add:ident, $max:ident,
     |$a:ident, $b:ident, $c:ident| $mul_add:expr) => {
        #[derive(Clone, Copy)]
        pub(super) struct $name($inner);

        impl Simd for $name {
            const LANES: usize = $lanes;

            #[inline(always)]
            unsafe fn splat(value: f32) -> Self {
                // SAFETY: the machine has the instructions, as the caller promises; so below.
                unsafe { $name($splat(value)) }
            }
            #[inline(always)]
            unsafe fn load(from: *const f32) -> Self {
                // SAFETY: readable, as the caller promises.
                unsafe { $name($load(from)) }
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut f32) {
                // SAFETY: writable, as the caller promises.
                unsafe { $store(to, self.0) }
            }
            #[inline(always)]
            unsafe fn mul_add(self, factor: Self, summand: Self) -> Self {
                let ($a, $b, $c) = (self.0, factor.0, summand.0);
                // SAFETY: as for `splat`.
                unsafe { $name($mul_add) }
            }
            #[inline(always)]
            unsafe fn add(self, other: Self) -> Self {
                // SAFETY: as for `splat`.
                unsafe { $name($add(self.0, other.0)) }
            }
            #[inline(always)]
            unsafe fn max(self, other: Self) -> Self {
                // SAFETY: as for `splat`.
                unsafe { $name($max(self.0, other.0)) }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
register!(Avx2, __m256, 8, _mm256_set1_ps, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_add_ps, _mm256_max_ps, |a, b, c| {
    _mm256_fmadd_ps(a, b, c)
});

#[cfg(target_arch = "x86_64")]
register!(Avx512, __m512, 16, _mm512_set1_ps, _mm512_loadu_ps, _mm512_storeu_ps, _mm512_add_ps, _mm512_max_ps, |a, b, c| {
    _mm512_fmadd_ps(a, b, c)
});

#[cfg(target_arch = "aarch64")]
register!(Neon, float32x4_t, 4, vdupq_n_f32, vld1q_f32, vst1q_f32, vaddq_f32, vmaxq_f32, |a, b, c| vfmaq_f32(c, a, b));
