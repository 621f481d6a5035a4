//! The table of students: which network of the registry is trained by what.

use qbh_models::ModelError;
use qbh_models::extractor::harmonic::Size;

use super::ah1::Ah1Student;
use super::harmonic::HarmonicStudent;
use super::jdc::JdcStudent;
use super::multidnn::{MultiDnnStudent, Tasks};
use super::ssl::SslStudent;
use super::student::Student;
use super::{Settings, Source};

/// Makes what is trained, with fresh weights.
pub(super) type Enroller = fn(&Settings, &Source) -> Result<Box<dyn Student>, ModelError>;

/// A row for each architecture that can be trained.
const STUDENTS: [(&str, Enroller); 7] = [
    ("harmonic-s", |settings, _| Ok(Box::new(HarmonicStudent::new(Size::S, settings)))),
    ("harmonic-m", |settings, _| Ok(Box::new(HarmonicStudent::new(Size::M, settings)))),
    ("ssl", |settings, source| Ok(Box::new(SslStudent::new(settings, source)?))),
    ("jdc", |settings, source| Ok(Box::new(JdcStudent::new(settings, source)?))),
    ("multidnn", |settings, _| Ok(Box::new(MultiDnnStudent::new(settings, false, Tasks::default())?))),
    ("multidnn-rnn", |settings, _| Ok(Box::new(MultiDnnStudent::new(settings, true, Tasks::default())?))),
    ("ah1", |settings, source| Ok(Box::new(Ah1Student::new(settings, source)?))),
];

/// What trains the architecture of this name.
///
/// # Errors
/// Nothing does.
pub(super) fn enroller(name: &str) -> Result<Enroller, ModelError> {
    let known = || STUDENTS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let found = STUDENTS.iter().find(|(known, _)| *known == name).map(|(_, enroller)| *enroller);
    found.ok_or_else(|| ModelError::UnknownModel { name: name.to_string(), known: known() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use qbh_models::extractor::ARCHITECTURES;

    #[test]
    fn every_architecture_can_be_trained() {
        for architecture in ARCHITECTURES {
            assert!(enroller(architecture.name).is_ok(), "{}", architecture.name);
        }
        assert!(enroller("nobody").is_err());
    }
}
