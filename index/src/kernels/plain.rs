//! The kernel for any machine; also what the others are compared with.

use super::BLOCK_ROWS;
use super::QueryMatrix;

pub(super) fn products(queries: &QueryMatrix, blocks: &[u8], out: &mut [i32]) {
    let columns = blocks.len() / queries.dimension;
    if columns == 0 {
        return;
    }
    let rows = queries.values.chunks_exact(queries.dimension).zip(&queries.bias).zip(out.chunks_exact_mut(columns));
    for ((query, bias), out) in rows {
        for (block, out) in blocks.chunks_exact(BLOCK_ROWS * queries.dimension).zip(out.chunks_exact_mut(BLOCK_ROWS)) {
            let mut sums = [-bias; BLOCK_ROWS];
            for (x, y) in block.as_chunks::<{ BLOCK_ROWS * 4 }>().0.iter().zip(query.as_chunks::<4>().0) {
                for (sum, x) in sums.iter_mut().zip(x.as_chunks::<4>().0) {
                    *sum += x.iter().zip(y).map(|(&x, &y)| i32::from(x) * i32::from(y)).sum::<i32>();
                }
            }
            out.copy_from_slice(&sums);
        }
    }
}

#[inline(always)]
pub(super) fn dot(a: &[i8], b: &[i8]) -> i32 {
    a.iter().zip(b).map(|(&x, &y)| i32::from(x) * i32::from(y)).sum()
}
