//! Training of extractors and embedders.
