//! Audio in: decoding, mixing to mono, resampling, tags.
