//! Search: windows, votes, alignment, ranking, calibration.
