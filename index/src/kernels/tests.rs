//! All kernels agree with a direct sum, bit for bit, for any shape.

use proptest::prelude::*;

use super::*;

/// Interleaves rows of a multiple of 16 windows as the scan file does.
fn interleave(dimension: usize, rows: &[i8]) -> Vec<u8> {
    let mut blocks = vec![0; rows.len()];
    for (i, &x) in rows.iter().enumerate() {
        let (row, k) = (i / dimension, i % dimension);
        let at = (row / BLOCK_ROWS) * BLOCK_ROWS * dimension + (k / 4) * 64 + (row % BLOCK_ROWS) * 4 + k % 4;
        blocks[at] = (x as u8) ^ 0x80;
    }
    blocks
}

fn check(dimension: usize, queries: &[i8], rows: &[i8]) {
    let matrix = QueryMatrix::new(dimension, queries.to_vec());
    let blocks = interleave(dimension, rows);
    let columns = rows.len() / dimension;
    for kernel in ProductKernel::available() {
        let mut out = vec![i32::MIN; matrix.padded_rows() * columns];
        kernel.products(&matrix, &blocks, &mut out);
        for (q, query) in queries.chunks_exact(dimension).enumerate() {
            for (r, row) in rows.chunks_exact(dimension).enumerate() {
                let expected: i32 = query.iter().zip(row).map(|(&a, &b)| i32::from(a) * i32::from(b)).sum();
                assert_eq!(out[q * columns + r], expected, "{kernel:?}, hum window {q}, song window {r}");
                assert_eq!(kernel.dot(query, row), expected, "{kernel:?}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn kernels_agree(
        (dimension, queries, rows) in (1usize..40, 1usize..20, 0usize..5).prop_flat_map(|(groups, queries, blocks)| {
            let dimension = groups * 4;
            (
                Just(dimension),
                proptest::collection::vec(any::<i8>(), queries * dimension),
                proptest::collection::vec(any::<i8>(), blocks * BLOCK_ROWS * dimension),
            )
        })
    ) {
        check(dimension, &queries, &rows);
    }
}

#[test]
fn extremes_do_not_saturate() {
    for (a, b) in [(127i8, 127i8), (-127, 127), (-128, -128), (127, -128)] {
        check(512, &[a; 512 * 9], &[b; 512 * 48]);
    }
}
