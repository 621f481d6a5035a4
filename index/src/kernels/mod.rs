//! Dot products of int8 vectors: many hum windows against interleaved blocks of song windows, and one pair at a time.
//!
//! Three kernels, chosen at run time, agree bit for bit: all sums are exact in i32. Song vectors are biased by 128
//! (see [`bias`]), so each kernel computes `sum((x + 128) y)` and takes `128 sum(y)` off again.
//! This folder and `mapping` hold all unsafe code of the crate.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod plain;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

/// Song windows that are interleaved with one another: what one AVX-512 VNNI instruction multiplies, four dimensions of each.
pub(crate) const BLOCK_ROWS: usize = 16;

/// Adds 128: int8 as an unsigned byte, as `dpbusd` wants one of its factors.
pub(crate) fn bias(x: u8) -> u8 {
    x ^ 0x80
}

/// Hum windows are processed in groups of this many.
const TILE: usize = 8;

/// A matrix of hum windows, padded with zeros to a multiple of [`TILE`] rows.
pub(crate) struct QueryMatrix {
    dimension: usize,
    rows: usize,
    values: Vec<i8>,
    /// The same values for the AVX2 kernel, which multiplies 16-bit numbers.
    wide: Vec<i16>,
    /// 128 times the sum of each row: what the bias of the song vectors adds.
    bias: Vec<i32>,
}

impl QueryMatrix {
    /// From rows of `dimension` values (a multiple of 4).
    pub(crate) fn new(dimension: usize, mut values: Vec<i8>) -> QueryMatrix {
        assert!(dimension > 0 && dimension.is_multiple_of(4) && values.len().is_multiple_of(dimension));
        let rows = (values.len() / dimension).next_multiple_of(TILE);
        values.resize(rows * dimension, 0);
        let bias = values.chunks_exact(dimension).map(|row| 128 * row.iter().map(|&x| i32::from(x)).sum::<i32>()).collect();
        let wide = values.iter().map(|&x| i16::from(x)).collect();
        QueryMatrix { dimension, rows, values, wide, bias }
    }

    /// Number of rows including padding.
    pub(crate) fn padded_rows(&self) -> usize {
        self.rows
    }
}

/// A way to compute products.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProductKernel {
    /// AVX-512 with VNNI.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// AVX2.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// Rust, for any machine.
    Plain,
}

impl ProductKernel {
    /// The kernels this machine can run, fastest first.
    pub(crate) fn available() -> Vec<ProductKernel> {
        let mut kernels = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vnni")
            {
                kernels.push(ProductKernel::Avx512);
            }
            if is_x86_feature_detected!("avx2") {
                kernels.push(ProductKernel::Avx2);
            }
        }
        kernels.push(ProductKernel::Plain);
        kernels
    }

    /// The fastest kernel of this machine.
    pub(crate) fn best() -> ProductKernel {
        static BEST: LazyLock<ProductKernel> =
            LazyLock::new(|| ProductKernel::available().first().copied().unwrap_or(ProductKernel::Plain));
        *BEST
    }

    /// All products of the hum windows with the song windows in `blocks`: `out` has one row per (padded) hum window, and in it
    /// one value per song window.
    pub(crate) fn products(self, queries: &QueryMatrix, blocks: &[u8], out: &mut [i32]) {
        let block_bytes = BLOCK_ROWS * queries.dimension;
        assert!(blocks.len().is_multiple_of(block_bytes), "blocks must be whole");
        let columns = blocks.len() / queries.dimension;
        assert_eq!(out.len(), columns * queries.rows, "one output per pair");
        match self {
            // SAFETY: `available`, the only source of kernels, found the instructions; lengths were checked above.
            #[cfg(target_arch = "x86_64")]
            ProductKernel::Avx512 => unsafe { avx512::products(queries, blocks, out) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            ProductKernel::Avx2 => unsafe { avx2::products(queries, blocks, out) },
            ProductKernel::Plain => plain::products(queries, blocks, out),
        }
    }

    /// The dot product of two int8 vectors of one length.
    pub(crate) fn dot(self, a: &[i8], b: &[i8]) -> i32 {
        match self {
            // SAFETY: `available`, the only source of kernels, found the instructions.
            #[cfg(target_arch = "x86_64")]
            ProductKernel::Avx512 => unsafe { avx512::dot(a, b) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            ProductKernel::Avx2 => unsafe { avx2::dot(a, b) },
            ProductKernel::Plain => plain::dot(a, b),
        }
    }
}
