//! AVX-512 VNNI: one instruction multiplies 16 song windows by 4 dimensions of a hum window and adds up.

use std::arch::x86_64::*;

use super::BLOCK_ROWS;
use super::{QueryMatrix, TILE, plain};

/// Computes all products in tiles of 2 blocks (32 song windows) by 8 hum windows, which fill 16 of the 32 registers.
///
/// # Safety
/// The machine must have the features; `blocks` must be whole blocks and `out` hold one value per pair, hum window by hum
/// window; `queries` must have a multiple of [`TILE`] rows.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub(super) unsafe fn products(queries: &QueryMatrix, blocks: &[u8], out: &mut [i32]) {
    let count = blocks.len() / (BLOCK_ROWS * queries.dimension);
    for first in (0..count).step_by(2) {
        for row in (0..queries.rows).step_by(TILE) {
            // SAFETY: `first` and `first + 1`, where it is used, are blocks; `row..row + TILE` are rows of the queries.
            unsafe {
                if first + 1 < count {
                    tile::<2>(queries, row, blocks, first, out);
                } else {
                    tile::<1>(queries, row, blocks, first, out);
                }
            }
        }
    }
}

/// `B` blocks from `first` by the hum windows `row..row + TILE`.
///
/// # Safety
/// As for [`products`]; the blocks and rows must exist.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
unsafe fn tile<const B: usize>(queries: &QueryMatrix, row: usize, blocks: &[u8], first: usize, out: &mut [i32]) {
    let dimension = queries.dimension;
    let columns = blocks.len() / dimension;
    let mut sums = [[_mm512_setzero_si512(); B]; TILE];
    // SAFETY: group `g` of block `first + b` is 64 bytes inside `blocks`; 4 values at `g * 4` of row `row + j` are inside
    // `queries.values` (the dimension is a multiple of 4); unaligned loads are used throughout.
    unsafe {
        let block = blocks.as_ptr().add(first * BLOCK_ROWS * dimension);
        let query = queries.values.as_ptr().add(row * dimension);
        for g in 0..dimension / 4 {
            let mut x = [_mm512_setzero_si512(); B];
            for (b, x) in x.iter_mut().enumerate() {
                *x = _mm512_loadu_si512(block.add(b * BLOCK_ROWS * dimension + g * 64).cast());
            }
            for (j, sums) in sums.iter_mut().enumerate() {
                let y = _mm512_set1_epi32(query.add(j * dimension + g * 4).cast::<i32>().read_unaligned());
                for (sum, x) in sums.iter_mut().zip(x) {
                    *sum = _mm512_dpbusd_epi32(*sum, x, y);
                }
            }
        }
    }
    for (j, sums) in sums.iter().enumerate() {
        for (b, &sum) in sums.iter().enumerate() {
            let at = (row + j) * columns + (first + b) * BLOCK_ROWS;
            let unbiased = _mm512_sub_epi32(sum, _mm512_set1_epi32(queries.bias[row + j]));
            let out = &mut out[at..at + BLOCK_ROWS];
            // SAFETY: `out` is 16 values of 4 bytes.
            unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), unbiased) };
        }
    }
}

/// Dot product; the compiler vectorises it for this machine.
///
/// # Safety
/// The machine must have the features.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub(super) unsafe fn dot(a: &[i8], b: &[i8]) -> i32 {
    plain::dot(a, b)
}
