//! How to search.

/// How to search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SearchOptions {
    /// Matches wanted.
    pub limit: usize,
    /// How songs are proposed.
    pub method: SearchMethod,
    /// Songs that are aligned; up to so many songs, a library is aligned as a whole.
    pub candidates: usize,
}

impl Default for SearchOptions {
    fn default() -> Self {
        SearchOptions { limit: 10, method: SearchMethod::Auto, candidates: 300 }
    }
}

impl SearchOptions {
    pub(super) fn aligned(&self) -> usize {
        self.candidates.max(self.limit)
    }
}

/// How the songs worth scoring are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SearchMethod {
    /// Exact, or coarse in a library of [`SearchMethod::LARGE`] songs and more.
    #[default]
    Auto,
    /// All songs are scored by all windows of the hum.
    Exact,
    /// All songs are scored by the longest windows of the hum, and those that stand out by all of them.
    Coarse,
    /// Songs near the hum in the HNSW graph are scored.
    Hnsw,
}

impl SearchMethod {
    /// Songs from which on a coarse search is worth it.
    pub const LARGE: usize = 10_000;

    /// What is done in a library of so many songs: the scan needs nothing loaded and, all windows of a hum at once, is faster than the
    /// graph up to millions of vectors.
    pub(super) fn among(self, songs: usize) -> SearchMethod {
        match self {
            SearchMethod::Auto if songs < SearchMethod::LARGE => SearchMethod::Exact,
            SearchMethod::Auto => SearchMethod::Coarse,
            method => method,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_libraries_are_searched_coarsely() {
        let [below, above] = [SearchMethod::LARGE - 1, SearchMethod::LARGE];
        assert_eq!(
            (SearchMethod::Auto.among(below), SearchMethod::Auto.among(above)),
            (SearchMethod::Exact, SearchMethod::Coarse)
        );
        assert_eq!(
            (SearchMethod::Exact.among(above), SearchMethod::Hnsw.among(above)),
            (SearchMethod::Exact, SearchMethod::Hnsw)
        );
    }
}
