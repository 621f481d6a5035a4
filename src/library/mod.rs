//! The library: walking folders, listening to files, the index run.
