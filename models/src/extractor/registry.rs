//! The table of architectures: a further network is its module and one row here (and, to be trained, a row in `qbh-training`).

#[cfg(feature = "torch")]
use super::harmonic::Size;
use super::harmonic::{self, Harmonic};
use super::{Extractor, SHIPPED};
#[cfg(feature = "torch")]
use super::{ah1::Ah1, jdc::Jdc, multidnn::MultiDnn, one_thread, ssl::Ssl};
use crate::nn::weights::Weights;
use crate::{Device, ModelError};

/// A network that can be opened, under one name.
#[derive(Debug)]
pub struct Architecture {
    /// Its name on the command line, and that of the weights it is trained to.
    pub name: &'static str,
    /// What it is, in a few words.
    pub about: &'static str,
    /// The `architecture` in the metadata of its weights; the sizes of one architecture share it.
    pub family: &'static str,
    open: Opener,
    #[cfg(feature = "torch")]
    untrained: fn(Device) -> Box<dyn Extractor>,
}

/// Makes the network of some weights.
type Opener = fn(&Weights, Device) -> Result<Box<dyn Extractor>, ModelError>;

/// Opens a network that only libtorch can run.
macro_rules! on_libtorch {
    ($network:ident) => {{
        #[cfg(feature = "torch")]
        let open: Opener = |weights, device| Ok(Box::new($network::from_weights(weights, device.into())?));
        #[cfg(not(feature = "torch"))]
        let open: Opener = |weights, _| Err(ModelError::NeedsTorch { what: format!("the extractor {}", weights.architecture()) });
        open
    }};
}

/// All of them, the default first.
pub static ARCHITECTURES: &[Architecture] = &[
    Architecture {
        name: "harmonic-s",
        about: "compact, over a harmonic stack",
        family: harmonic::ARCHITECTURE,
        open: |weights, device| Ok(Box::new(Harmonic::from_weights(weights, device)?)),
        #[cfg(feature = "torch")]
        untrained: |device| Box::new(Harmonic::untrained(Size::S, device)),
    },
    Architecture {
        name: "harmonic-m",
        about: "the same, twice as wide",
        family: harmonic::ARCHITECTURE,
        open: |weights, device| Ok(Box::new(Harmonic::from_weights(weights, device)?)),
        #[cfg(feature = "torch")]
        untrained: |device| Box::new(Harmonic::untrained(Size::M, device)),
    },
    Architecture {
        name: "ssl",
        about: "Kum, Lin, Su & Nam 2020",
        family: "ssl",
        open: on_libtorch!(Ssl),
        #[cfg(feature = "torch")]
        untrained: |device| Box::new(Ssl::untrained(device.into())),
    },
    Architecture {
        name: "jdc",
        about: "Kum & Nam 2019",
        family: "jdc",
        open: on_libtorch!(Jdc),
        #[cfg(feature = "torch")]
        untrained: |device| Box::new(Jdc::untrained(device.into())),
    },
    Architecture {
        name: "multidnn",
        about: "Cao, Feng & Li 2019, without LSTMs",
        family: "multidnn",
        open: on_libtorch!(MultiDnn),
        #[cfg(feature = "torch")]
        untrained: |device| Box::new(MultiDnn::untrained(false, device.into())),
    },
    Architecture {
        name: "multidnn-rnn",
        about: "the same with LSTMs; trained --from a multidnn",
        family: "multidnn-rnn",
        open: on_libtorch!(MultiDnn),
        #[cfg(feature = "torch")]
        untrained: |device| Box::new(MultiDnn::untrained(true, device.into())),
    },
    Architecture {
        name: "ah1",
        about: "Huang & Liu 2020",
        family: "ah1",
        open: on_libtorch!(Ah1),
        #[cfg(feature = "torch")]
        untrained: |device| Box::new(Ah1::untrained(device.into())),
    },
];

/// The architecture of this name.
///
/// # Errors
/// There is none.
pub fn architecture(name: &str) -> Result<&'static Architecture, ModelError> {
    let known = || ARCHITECTURES.iter().map(|a| a.name).collect::<Vec<_>>().join(", ");
    let found = ARCHITECTURES.iter().find(|a| a.name == name);
    found.ok_or_else(|| ModelError::UnknownModel { name: name.to_string(), known: known() })
}

/// Opens the shipped extractor of this name, or else the weights file at this path.
///
/// An extractor computes on one processor thread, and recordings are spread over threads by [`Extractor::fork`]: so this sets
/// libtorch's own number of threads to one when `device` is the processor.
///
/// # Errors
/// No such name or file, or weights that do not fit their architecture. The name of an architecture that no weights ship of
/// is answered with how to get some.
pub fn open(name_or_path: &str, device: Device) -> Result<Box<dyn Extractor>, ModelError> {
    let weights = Weights::open(name_or_path, SHIPPED).map_err(|error| match (error, architecture(name_or_path)) {
        (ModelError::UnknownModel { .. }, Ok(known)) => ModelError::NoWeights { architecture: known.name.to_string() },
        (error, _) => error,
    })?;
    #[cfg(feature = "torch")]
    one_thread(device.into());
    match ARCHITECTURES.iter().find(|a| a.family == weights.architecture()) {
        Some(architecture) => (architecture.open)(&weights, device),
        None => {
            let mut known: Vec<&str> = ARCHITECTURES.iter().map(|a| a.family).collect();
            known.dedup();
            let reason =
                format!("architecture {:?} is no extractor; extractors are {}", weights.architecture(), known.join(", "));
            Err(ModelError::Weights { name: weights.name.clone(), reason })
        }
    }
}

/// An extractor with random weights: for benchmarks and tests.
///
/// # Errors
/// No such architecture.
#[cfg(feature = "torch")]
pub fn untrained(name: &str, device: Device) -> Result<Box<dyn Extractor>, ModelError> {
    one_thread(device.into());
    Ok((architecture(name)?.untrained)(device))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "torch")]
    #[test]
    fn every_architecture_opens_untrained_under_its_family() {
        for architecture in ARCHITECTURES {
            let extractor = untrained(architecture.name, Device::Cpu).unwrap();
            assert_eq!(extractor.info().architecture, architecture.family);
        }
    }

    #[test]
    fn an_architecture_without_weights_says_how_to_get_them() {
        let refusal = open("ssl", Device::Cpu).err().unwrap().to_string();
        assert!(refusal.contains("qbh train extractor --arch ssl") && refusal.contains("qbh models import"), "{refusal}");
        assert!(matches!(open("nobody", Device::Cpu), Err(ModelError::UnknownModel { .. })));
    }
}
