//! Pitch tracks in and out of files.
