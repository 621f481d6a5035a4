//! Where networks run.

use crate::ModelError;

/// The processor, or a graphics card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Device {
    /// The processor.
    Cpu,
    /// The CUDA device of this number, by libtorch.
    Cuda(usize),
}

impl Device {
    /// The first CUDA device.
    ///
    /// # Errors
    /// This build or this machine has none.
    #[cfg(feature = "torch")]
    pub fn cuda() -> Result<Self, ModelError> {
        if tch::Cuda::is_available() { Ok(Device::Cuda(0)) } else { Err(ModelError::NoCuda) }
    }

    /// The first CUDA device.
    ///
    /// # Errors
    /// This build has none.
    #[cfg(not(feature = "torch"))]
    pub fn cuda() -> Result<Self, ModelError> {
        Err(ModelError::NeedsTorch { what: "CUDA".into() })
    }
}

#[cfg(feature = "torch")]
impl From<Device> for tch::Device {
    fn from(device: Device) -> Self {
        match device {
            Device::Cpu => tch::Device::Cpu,
            Device::Cuda(number) => tch::Device::Cuda(number),
        }
    }
}

#[cfg(feature = "torch")]
impl From<tch::Device> for Device {
    /// Devices that are neither are not ours to use: the processor stands in for them.
    fn from(device: tch::Device) -> Self {
        match device {
            tch::Device::Cuda(number) => Device::Cuda(number),
            _ => Device::Cpu,
        }
    }
}
