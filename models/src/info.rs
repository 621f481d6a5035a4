//! What is known about a loaded model.

use std::collections::BTreeMap;

/// Name, identity and provenance of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelInfo {
    /// Shipped name (`harmonic-s`) or file stem.
    pub name: String,
    /// Architecture, the key by which the network is built (`harmonic`, `ssl`, `contextual`...).
    pub architecture: String,
    /// 16 hex digits over the weights and their metadata: equal fingerprints, equal output.
    pub fingerprint: String,
    /// Number of trainable parameters.
    pub parameters: usize,
    /// The safetensors metadata: training data, licences, command, scores.
    pub metadata: BTreeMap<String, String>,
}
