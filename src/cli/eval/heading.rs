//! What stands above scores: what they were measured on, what for, and what their intervals are.

use clap::ValueEnum;
use qbh::eval::units::{Unit, Units};
use serde::Serialize;

/// What a data set is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// For choosing and fitting: its scores flatter what was chosen by them
    Development,
    /// For telling how good what was chosen is
    Test,
}

impl Role {
    /// What headlines begin with.
    pub fn prefix(role: Option<Role>) -> &'static str {
        match role {
            None => "",
            Some(Role::Development) => "development set: ",
            Some(Role::Test) => "test set: ",
        }
    }
}

/// What the intervals below are.
pub fn intervals(units: &Units, what: &str) -> String {
    match (units.unit, units.clusters.len()) {
        (Unit::Recording, _) => "95 % bootstrap intervals".to_string(),
        (unit, 1) => format!("95 % intervals over the {what} of one {}: they do not tell how others would do", unit.noun(1)),
        (unit, _) => format!("95 % intervals: {} resampled, then the {what} of each", unit.noun(2)),
    }
}
