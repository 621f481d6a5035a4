//! Every kernel of this machine agrees with plain loops, whatever the shape.

use proptest::prelude::*;

use super::*;

/// Numbers between -1 and 1, the same for the same seed.
fn noise(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

fn finished(sum: f32, before: f32, finish: Finish) -> f32 {
    match finish {
        Finish::Sum => sum,
        Finish::Relu => sum.max(0.0),
        Finish::Add => sum + before,
        Finish::AddRelu => (sum + before).max(0.0),
        Finish::ReluAdd => sum.max(0.0) + before,
    }
}

/// The definition of a product; `weight(row, column)`.
fn slow(p: &Product, plane: &Plane, x: &[f32], y: &mut [f32], weight: &dyn Fn(usize, usize) -> f32, bias: &[f32]) {
    for frame in 0..plane.frames {
        for row in 0..plane.rows {
            let at = |place: [usize; 3]| place[0] + frame * place[1] + row * place[2];
            for (column, bias) in bias.iter().enumerate() {
                let mut sum = f64::from(*bias);
                for (t, tap) in p.taps.iter().enumerate() {
                    for k in 0..p.depth {
                        let value = x[(at(plane.x) + k).checked_add_signed(*tap).unwrap()];
                        sum += f64::from(value * weight(t * p.depth + k, column));
                    }
                }
                let y = &mut y[at(plane.y) + column];
                *y = finished(sum as f32, *y, p.finish);
            }
        }
    }
}

fn assert_near(kernel: Kernel, a: &[f32], b: &[f32]) -> Result<(), TestCaseError> {
    for (i, (a, b)) in a.iter().zip(b).enumerate() {
        prop_assert!((a - b).abs() <= 1e-4, "{:?}: {} against {} at {}", kernel, a, b, i);
    }
    Ok(())
}

const FINISHES: [Finish; 5] = [Finish::Sum, Finish::Relu, Finish::Add, Finish::AddRelu, Finish::ReluAdd];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn products_are_those_of_plain_loops(
        seed in 0u64..1000, frames in 0usize..15, rows in 0usize..15, depth in 1usize..20, columns in 1usize..70,
        taps in prop::collection::vec(-30isize..30, 1..4), finish in 0usize..5, gap in 0usize..9,
    ) {
        let bias = noise(seed, columns);
        let weights = noise(seed + 1, taps.len() * depth * columns);
        let weight = |row: usize, column: usize| weights[row * columns + column];
        let panels = Panels::new(taps.len() * depth, &bias, weight);
        let (x_row, y_row) = (depth + gap, columns + gap / 2);
        let plane = Plane { frames, rows, x: [40, rows * x_row + 3, x_row], y: [5, rows * y_row + gap, y_row] };
        let x = noise(seed + 2, 80 + frames * (rows * x_row + 3) + x_row);
        let before = noise(seed + 3, 5 + frames * (rows * y_row + gap) + y_row);
        let product = Product { panels: &panels, taps: &taps, depth, finish: FINISHES[finish] };
        let mut wanted = before.clone();
        slow(&product, &plane, &x, &mut wanted, &weight, &bias);
        for kernel in Kernel::available() {
            let mut y = before.clone();
            kernel.product(&product, &plane, &x, &mut y);
            assert_near(kernel, &y, &wanted)?;
        }
    }

    #[test]
    fn residual_blocks_are_two_products_and_a_sum(
        seed in 0u64..1000, frames in 1usize..14, rows in 1usize..14, panels in 1usize..=MOST_FUSED,
        (dilation, reach) in (1usize..4, 0usize..3),
    ) {
        let channels = panels * PANEL;
        let [bias, mix_bias] = [seed, seed + 1].map(|seed| noise(seed, channels));
        let stride = (rows + 2 * reach) * channels;
        let taps: Vec<isize> = (-1..=1).flat_map(|t| (-1..=1).map(move |r| (t, r)))
            .map(|(t, r)| t * (dilation * stride) as isize + r * (reach * channels) as isize).collect();
        let scale = 0.2;
        let [weights, mix_weights] = [9, 1].map(|taps| noise(seed + 2 + taps as u64, taps * channels * channels));
        let weight = |row: usize, column: usize| scale * weights[row * channels + column];
        let mix_weight = |row: usize, column: usize| scale * mix_weights[row * channels + column];
        let spread_panels = Panels::new(9 * channels, &bias, weight);
        let mix = Panels::new(channels, &mix_bias, mix_weight);
        let first = dilation * stride + reach * channels;
        let plane = Plane { frames, rows, x: [first, stride, channels], y: [0, rows * channels, channels] };
        let x = noise(seed + 9, (frames + 2 * dilation) * stride);
        let spread = Product { panels: &spread_panels, taps: &taps, depth: channels, finish: Finish::Relu };

        let compact = Plane { y: [0, rows * channels, channels], ..plane };
        let mut between = vec![0.0; frames * rows * channels];
        slow(&spread, &compact, &x, &mut between, &weight, &bias);
        let mut wanted: Vec<f32> = (0..frames * rows * channels)
            .map(|i| x[first + i / (rows * channels) * stride + i % (rows * channels)]).collect();
        let mixing = Product { panels: &mix, taps: &[0], depth: channels, finish: Finish::AddRelu };
        slow(&mixing, &Plane::line(frames * rows, channels, channels), &between, &mut wanted, &mix_weight, &mix_bias);
        for kernel in Kernel::available() {
            let mut y = vec![7.0; frames * rows * channels];
            kernel.residual(&spread, &mix, &plane, &x, &mut y);
            assert_near(kernel, &y, &wanted)?;
        }
    }

    #[test]
    fn recurrences_follow_their_equations(seed in 0u64..1000, frames in 0usize..9, hidden in 1usize..40, backwards: bool) {
        let bias = noise(seed, 3 * hidden);
        let weights = noise(seed + 1, 3 * hidden * hidden);
        let weight = |row: usize, column: usize| 0.5 * weights[row * 3 * hidden + column];
        let panels = Panels::new(hidden, &bias, weight);
        let given_step = 3 * hidden + 2;
        let given = noise(seed + 2, frames * given_step);
        let mut wanted = vec![vec![0.0f32; hidden]; frames];
        let mut state = vec![0.0f32; hidden];
        for step in 0..frames {
            let frame = if backwards { frames - 1 - step } else { step };
            let share = |column: usize| bias[column] + (0..hidden).map(|k| state[k] * weight(k, column)).sum::<f32>();
            let sigmoid = |x: f32| 1.0 / (1.0 + (-x).exp());
            let input = |gate: usize, i: usize| given[frame * given_step + gate * hidden + i];
            state = (0..hidden).map(|i| {
                let reset = sigmoid(input(0, i) + share(i));
                let update = sigmoid(input(1, i) + share(hidden + i));
                let new = (input(2, i) + reset * share(2 * hidden + i)).tanh();
                (1.0 - update) * new + update * state[i]
            }).collect();
            wanted[frame].clone_from(&state);
        }
        for kernel in Kernel::available() {
            let y_step = hidden + 1;
            let mut y = vec![0.0; frames * y_step];
            let (mut state, mut gates) = (vec![9.0; hidden], vec![9.0; 3 * hidden]);
            let (state, gates) = (&mut state[..], &mut gates[..]);
            kernel.recur(Recurrence { panels: &panels, given: &given, given_step, frames, backwards, state, gates, y: &mut y, y_step });
            for (y, wanted) in y.chunks(y_step).zip(&wanted) {
                assert_near(kernel, y, wanted)?;
            }
        }
    }

    #[test]
    fn activations_are_within_a_millionth(x in -40.0f32..40.0) {
        let exact = f64::from(x);
        let near = |y: f32, wanted: f64, scale: f64| (f64::from(y) - wanted).abs() <= 1e-6 * scale;
        for kernel in Kernel::available() {
            let apply = |function| { let mut y = [x; 19]; kernel.map(function, &mut y); y[18] };
            prop_assert!(near(apply(math::Function::Exp), exact.exp(), exact.exp()), "{kernel:?}");
            let mut y = [x.abs() + 1e-6; 19];
            let wanted = f64::from(y[0]).ln();
            kernel.map(math::Function::Ln, &mut y);
            prop_assert!(near(y[18], wanted, 1.0), "{kernel:?}: ln is {} not {}", y[18], wanted);
            prop_assert!(near(apply(math::Function::Sigmoid), 1.0 / (1.0 + (-exact).exp()), 1.0), "{kernel:?}");
            prop_assert!(near(apply(math::Function::Tanh), exact.tanh(), 1.0), "{kernel:?}");
        }
    }
}

#[test]
fn the_ends_of_the_numbers_are_no_nan() {
    for kernel in Kernel::available() {
        let mut x = [f32::NEG_INFINITY, -1e30, -100.0, 100.0, 1e30, f32::INFINITY];
        kernel.map(math::Function::Sigmoid, &mut x);
        assert!(x[..3].iter().all(|&y| (0.0..1e-30).contains(&y)) && x[3..].iter().all(|&y| y == 1.0), "{kernel:?}: {x:?}");
        let mut x = [-1e30, -100.0, -0.0, 0.0, 100.0, 1e30];
        kernel.map(math::Function::Gelu, &mut x);
        assert!(x[..4].iter().all(|y| y.abs() < 1e-30) && x[4..] == [100.0, 1e30], "{kernel:?}: {x:?}");
    }
}

#[test]
fn gelu_is_that_of_the_normal_distribution() {
    // x times its distribution function, of tables.
    for (x, wanted) in [
        (-3.0f32, -0.004_049_7),
        (-1.0, -0.158_655_3),
        (-0.5, -0.154_268_8),
        (0.5, 0.345_731_2),
        (1.0, 0.841_344_7),
        (3.0, 2.995_950_3),
    ] {
        for kernel in Kernel::available() {
            let mut y = [x; 9];
            kernel.map(math::Function::Gelu, &mut y);
            assert!((y[0] - wanted).abs() < 1e-6, "{kernel:?}: {} at {x}", y[0]);
        }
    }
}

#[test]
#[should_panic(expected = "beyond the input")]
fn a_plane_beyond_its_input_is_refused() {
    let panels = Panels::new(4, &[0.0; 3], |_, _| 0.0);
    let product = Product { panels: &panels, taps: &[0], depth: 4, finish: Finish::Sum };
    Kernel::Plain.product(&product, &Plane::line(3, 4, 3), &[0.0; 11], &mut [0.0; 9]);
}
