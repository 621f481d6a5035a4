//! AVX2: products of 16-bit numbers. The 8-bit instruction of AVX2 (`maddubs`) saturates, and would not be exact.

use std::arch::x86_64::*;

use super::BLOCK_ROWS;
use super::{QueryMatrix, plain};

/// Computes all products in tiles of one block (16 song windows) by 2 hum windows, which fill 8 of the 16 registers.
///
/// # Safety
/// The machine must have AVX2; `blocks` must be whole blocks and `out` hold one value per pair, hum window by hum window;
/// `queries` must have an even number of rows.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn products(queries: &QueryMatrix, blocks: &[u8], out: &mut [i32]) {
    let count = blocks.len() / (BLOCK_ROWS * queries.dimension);
    for block in 0..count {
        for row in (0..queries.rows).step_by(2) {
            // SAFETY: the block and both rows exist.
            unsafe { tile(queries, row, blocks, block, out) };
        }
    }
}

/// # Safety
/// As for [`products`]; the block and the rows `row` and `row + 1` must exist.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn tile(queries: &QueryMatrix, row: usize, blocks: &[u8], block: usize, out: &mut [i32]) {
    let dimension = queries.dimension;
    let columns = blocks.len() / dimension;
    // sums[j][v]: hum window j, song windows 4 v .. 4 v + 4, two partial sums for each.
    let mut sums = [[_mm256_setzero_si256(); 4]; 2];
    // SAFETY: group `g` of the block is 64 bytes inside `blocks`; 4 values of 2 bytes at `g * 4` of both rows are inside
    // `queries.wide` (the dimension is a multiple of 4); unaligned loads are used throughout.
    unsafe {
        let bytes = blocks.as_ptr().add(block * BLOCK_ROWS * dimension);
        let query = queries.wide.as_ptr().add(row * dimension);
        for g in 0..dimension / 4 {
            let mut x = [_mm256_setzero_si256(); 4];
            for (v, x) in x.iter_mut().enumerate() {
                *x = _mm256_cvtepu8_epi16(_mm_loadu_si128(bytes.add(g * 64 + v * 16).cast()));
            }
            for (j, sums) in sums.iter_mut().enumerate() {
                let y = _mm256_set1_epi64x(query.add(j * dimension + g * 4).cast::<i64>().read_unaligned());
                for (sum, x) in sums.iter_mut().zip(x) {
                    *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(x, y));
                }
            }
        }
    }
    for (j, sums) in sums.iter().enumerate() {
        let bias = _mm256_set1_epi32(queries.bias[row + j]);
        for half in 0..2 {
            // The horizontal sum leaves windows in the order 0 1 4 5 2 3 6 7.
            let added = _mm256_hadd_epi32(sums[half * 2], sums[half * 2 + 1]);
            let ordered = _mm256_permute4x64_epi64::<0b11_01_10_00>(added);
            let at = (row + j) * columns + block * BLOCK_ROWS + half * 8;
            let out = &mut out[at..at + 8];
            // SAFETY: `out` is 8 values of 4 bytes.
            unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), _mm256_sub_epi32(ordered, bias)) };
        }
    }
}

/// Dot product; the compiler vectorises it for this machine.
///
/// # Safety
/// The machine must have AVX2.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn dot(a: &[i8], b: &[i8]) -> i32 {
    plain::dot(a, b)
}
