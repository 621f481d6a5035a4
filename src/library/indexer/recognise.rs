//! Recognising a file by its sound: one that has moved, was re-tagged, has come back or is a copy need not be heard.

use super::plan::{IndexingPlan, Pending, Whereabouts};
use crate::library::sound::Identified;
use qbh_index::{Index, Outcome, Sound};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// Heard for the first time.
    New,
    /// Heard again, because its sound is another.
    Changed,
    /// Known under this other path before.
    Moved(String),
    /// The same sound with other tags.
    Retagged,
    /// Known from an earlier run in which it was gone.
    Returned,
    /// The same sound as this other file.
    Copied(String),
}

/// The sounds that are known, and where from.
pub(super) struct Register {
    places: Mutex<HashMap<Sound, Vec<Whereabouts>>>,
}

impl Register {
    pub(super) fn new(plan: &IndexingPlan) -> Self {
        let mut places: HashMap<Sound, Vec<Whereabouts>> = HashMap::new();
        for (sound, place) in &plan.sounds {
            places.entry(*sound).or_default().push(place.clone());
        }
        places.values_mut().for_each(|places| places.sort());
        Register { places: Mutex::new(places) }
    }

    /// A place of a sound; one that is gone is handed out once.
    fn take(&self, sound: Sound) -> Option<Whereabouts> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let places = places.get_mut(&sound)?;
        match places.first()? {
            Whereabouts::Present(_) => places.first().cloned(),
            _ => Some(places.remove(0)),
        }
    }

    /// From now on the sound is known from this file too.
    pub(super) fn add(&self, sound: Sound, path: &str) {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let place = Whereabouts::Present(path.to_owned());
        let places = places.entry(sound).or_default();
        if !places.contains(&place) {
            places.push(place);
        }
    }

    /// Stores the file as what it is known to be; `None` if its sound is not known.
    pub(super) fn recognise(
        &self,
        index: &Index,
        file: &Pending,
        identified: &Identified,
    ) -> Result<Option<Fate>, qbh_index::Error> {
        let Identified { sound, tags } = identified;
        let path = &file.identity.path;
        // What the plan saw may have been replaced meanwhile by a file of another sound.
        let still = |path: &str| -> Result<bool, qbh_index::Error> {
            let known = index.file(path)?.filter(|known| matches!(known.outcome, Outcome::Indexed { .. }));
            Ok(known.is_some_and(|known| known.sound == Some(*sound)))
        };
        if still(path)? && index.retell_file(path, &file.identity, tags.as_ref())? {
            return Ok(Some(Fate::Retagged));
        }
        while let Some(place) = self.take(*sound) {
            let fate = match place {
                Whereabouts::Gone(from) if still(&from)? && index.retell_file(&from, &file.identity, tags.as_ref())? => {
                    Fate::Moved(from)
                }
                Whereabouts::Parked(from) if index.retell_file(&from, &file.identity, tags.as_ref())? => {
                    if from == *path {
                        Fate::Returned
                    } else {
                        Fate::Moved(from)
                    }
                }
                Whereabouts::Present(of) if of != *path && still(&of)? => {
                    index.copy_file(&of, &file.identity, tags.as_ref())?;
                    return Ok(Some(Fate::Copied(of)));
                }
                Whereabouts::Present(_) => return Ok(None),
                _ => continue,
            };
            self.add(*sound, path);
            return Ok(Some(fate));
        }
        Ok(None)
    }
}
