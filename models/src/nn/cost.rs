//! What layers cost: multiply-adds per frame.

/// A bidirectional LSTM of `hidden` units per direction.
pub fn lstm(input: i64, hidden: i64, layers: i64) -> u64 {
    gated(4, input, hidden, layers)
}

/// A bidirectional GRU of `hidden` units per direction.
pub fn gru(input: i64, hidden: i64) -> u64 {
    gated(3, input, hidden, 1)
}

fn gated(gates: i64, input: i64, hidden: i64, layers: i64) -> u64 {
    let layer = |input: i64| 2 * gates * hidden * (input + hidden);
    (layer(input) + (layers - 1) * layer(2 * hidden)) as u64
}
