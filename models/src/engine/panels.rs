//! Weights as the kernels read them.

/// Output channels side by side: as many as a register of AVX-512 holds, or two of AVX2.
pub(super) const PANEL: usize = 16;

/// One row of a panel, on a cache line of its own.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct Row([f32; PANEL]);

/// A matrix of weights with its biases: columns (output channels) in panels of [`PANEL`], each panel row by row. The last panel is
/// filled up with zeros.
#[derive(Debug, Clone)]
pub(crate) struct Panels {
    columns: usize,
    rows: usize,
    values: Vec<Row>,
    bias: Vec<Row>,
}

impl Panels {
    /// `rows` x `bias.len()` weights, `weight(row, column)`.
    pub(crate) fn new(rows: usize, bias: &[f32], weight: impl Fn(usize, usize) -> f32) -> Self {
        let columns = bias.len();
        let padded = |panel: usize, value: &dyn Fn(usize) -> f32| {
            Row(std::array::from_fn(|i| if panel * PANEL + i < columns { value(panel * PANEL + i) } else { 0.0 }))
        };
        let panels = 0..columns.div_ceil(PANEL);
        let values = panels.clone().flat_map(|panel| (0..rows).map(move |row| (panel, row)));
        Panels {
            columns,
            rows,
            values: values.map(|(panel, row)| padded(panel, &|column| weight(row, column))).collect(),
            bias: panels.map(|panel| padded(panel, &|column| bias[column])).collect(),
        }
    }

    /// Room for a matrix that [`Panels::fill`] fills again and again, without biases.
    pub(super) fn empty(rows: usize, columns: usize) -> Self {
        Panels::new(rows, &vec![0.0; columns], |_, _| 0.0)
    }

    /// Replaces the weights.
    pub(super) fn fill(&mut self, weight: impl Fn(usize, usize) -> f32) {
        for (at, row) in self.values.iter_mut().enumerate() {
            let (panel, k) = (at / self.rows, at % self.rows);
            let columns = (self.columns - panel * PANEL).min(PANEL);
            row.0[..columns].iter_mut().enumerate().for_each(|(i, value)| *value = weight(k, panel * PANEL + i));
        }
    }

    /// Output channels.
    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// Values that each output channel is made of.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Number of panels.
    pub(super) fn count(&self) -> usize {
        self.bias.len()
    }

    /// The rows of the panels from `panel` on, and their biases.
    pub(super) fn from(&self, panel: usize) -> (*const f32, *const f32) {
        (self.values[panel * self.rows..].as_ptr().cast(), self.bias[panel..].as_ptr().cast())
    }
}
