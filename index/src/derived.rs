//! The state of what is derived from the truth.

/// State of something derived from the truth. All but `Current` are mended by rebuilding it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Derived {
    /// Whole, and made from the present truth.
    Current,
    /// Not there (yet).
    Missing,
    /// Made from an earlier truth.
    Stale,
    /// Not as it was written; says what is wrong.
    Damaged(String),
}

impl std::fmt::Display for Derived {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Derived::Current => f.write_str("current"),
            Derived::Missing => f.write_str("missing"),
            Derived::Stale => f.write_str("out of date"),
            Derived::Damaged(reason) => write!(f, "damaged ({reason})"),
        }
    }
}
