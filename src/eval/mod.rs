//! Evaluation: metrics, data-set readers, reports.
