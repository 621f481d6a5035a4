//! Activations, written so that the compiler makes vectors of them: no branch, no call, no table.

/// A function of one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    /// `e^x`.
    Exp,
    /// The natural logarithm.
    Ln,
    /// `1 / (1 + e^-x)`.
    Sigmoid,
    /// The hyperbolic tangent.
    Tanh,
    /// `x` times the share of a normal distribution below it (Hendrycks & Gimpel 2016).
    Gelu,
}

/// Applies a function to every value.
#[inline(always)]
pub(super) fn map(function: Function, values: &mut [f32]) {
    match function {
        Function::Exp => values.iter_mut().for_each(|x| *x = exp(*x)),
        Function::Ln => values.iter_mut().for_each(|x| *x = ln(*x)),
        Function::Sigmoid => values.iter_mut().for_each(|x| *x = sigmoid(*x)),
        Function::Tanh => values.iter_mut().for_each(|x| *x = tanh(*x)),
        Function::Gelu => values.iter_mut().for_each(|x| *x = gelu(*x)),
    }
}

/// The gates of a GRU: `given` and `recurrent` are the shares of input and state (`3 n` values: reset, update, new), `state` (`n`) is
/// replaced by the next one (Cho et al. 2014, with the reset after the product as in libtorch).
#[inline(always)]
pub(super) fn gate(given: &[f32], recurrent: &[f32], state: &mut [f32]) {
    let n = state.len();
    let (given_reset, given) = given.split_at(n);
    let (given_update, given_new) = given.split_at(n);
    let (reset, rest) = recurrent.split_at(n);
    let (update, new) = rest.split_at(n);
    let (given_new, new) = (&given_new[..n], &new[..n]);
    for i in 0..n {
        let reset = sigmoid(given_reset[i] + reset[i]);
        let update = sigmoid(given_update[i] + update[i]);
        let new = tanh(given_new[i] + reset * new[i]);
        state[i] = new + update * (state[i] - new);
    }
}

/// ln 2 in two parts, the first of few bits.
const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];

/// `e^x` within 2e-7 of it, relatively; below -87 and above 88, `e` to these.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    /// Added to a number of up to 2^22, it leaves its integer part in the lowest bits.
    const TO_INTEGER: f32 = 12_582_912.0;
    // Not `clamp`, which is a branch to the compiler; a NaN stays one.
    let x = if x < -87.0 { -87.0 } else { x };
    let x = if x > 88.0 { 88.0 } else { x };
    let shifted = x * std::f32::consts::LOG2_E + TO_INTEGER;
    let n = shifted - TO_INTEGER;
    let r = (x - n * LN_2[0]) - n * LN_2[1];
    // Minimax polynomial of (e^r - 1 - r) / r^2 on +-ln(2)/2 (Moshier, Cephes).
    let p = ((((1.987_569_1e-4 * r + 1.398_2e-3) * r + 8.333_452e-3) * r + 4.166_579_6e-2) * r + 1.666_666_5e-1) * r + 0.5;
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(0x3f80_0000));
    (p * r * r + r + 1.0) * power
}

/// The natural logarithm of a normal positive number, within 2e-7 of it.
#[inline(always)]
pub(super) fn ln(x: f32) -> f32 {
    let bits = x.to_bits();
    // The number is 2^e (1 + m), m between the square roots of 1/2 and of 2, less 1.
    let e = (bits >> 23) as i32 - 126;
    let half = f32::from_bits((bits & 0x007f_ffff) | 0x3f00_0000);
    let low = half < std::f32::consts::FRAC_1_SQRT_2;
    let m = if low { 2.0 * half - 1.0 } else { half - 1.0 };
    let e = if low { e - 1 } else { e } as f32;
    // Minimax polynomial of (ln(1 + m) - m + m^2 / 2) / m^3 (Moshier, Cephes).
    let p = (((((((7.037_684e-2 * m - 0.115_146_1) * m + 0.116_769_98) * m - 0.124_201_41) * m + 0.142_493_23) * m
        - 0.166_680_58)
        * m
        + 0.200_007_15)
        * m
        - 0.249_999_94)
        * m
        + 0.333_333_3;
    let rest = p * m * m * m + e * LN_2[1] - 0.5 * m * m;
    m + rest + e * LN_2[0]
}

/// `1 / (1 + e^-x)`.
#[inline(always)]
pub(super) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// The hyperbolic tangent, within 3e-7.
#[inline(always)]
pub(super) fn tanh(x: f32) -> f32 {
    1.0 - 2.0 / (exp(2.0 * x) + 1.0)
}

/// `x / 2 (1 + erf(x / sqrt 2))`; the error function within 1.5e-7 by Abramowitz & Stegun 7.1.26.
#[inline(always)]
pub(super) fn gelu(x: f32) -> f32 {
    let z = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * z);
    let p = ((((1.061_405_4 * t - 1.453_152) * t + 1.421_413_7) * t - 0.284_496_74) * t + 0.254_829_6) * t;
    let beyond = p * exp(-z * z);
    // Half of `beyond` lies on the other side of |x|.
    if x > 0.0 { x - 0.5 * x * beyond } else { 0.5 * x * beyond }
}
