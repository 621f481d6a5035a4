//! PyTorch state dicts: a zip with a pickle that describes the tensors, and their values.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use tch::{Kind, Tensor};
use zip::ZipArchive;

use super::pickle::{self, Value};

/// Entries unpack to no more than so many times the size of the file, and this many bytes: torch.save does not pack them.
const PACKED: u64 = 8;
const SPARE: u64 = 1 << 20;

/// The tensors of a file of `torch.save`, by name, f32. The error says what is wrong.
pub(super) fn read(bytes: &[u8]) -> Result<BTreeMap<String, Tensor>, String> {
    let most = PACKED * bytes.len() as u64 + SPARE;
    let mut zip = ZipArchive::new(Cursor::new(bytes)).map_err(|e| format!("no zip file: {e}"))?;
    let index = zip.file_names().filter_map(|name| Some(name.ok()?.into_owned())).find(|name| name.ends_with("data.pkl"));
    let index = index.ok_or("the zip holds no data.pkl, so it is no file of torch.save")?;
    let folder = index.trim_end_matches("data.pkl").to_owned();
    let value = pickle::read(&entry(&mut zip, &index, most)?).map_err(|e| format!("its pickle is damaged: {e}"))?;
    let tensors = state_dict(&value).ok_or("it holds no state dict; save the model's state_dict(), not the model")?;
    let mut read = BTreeMap::new();
    let mut values = 0u64;
    for (name, description) in tensors {
        let tensor = tensor(description, |key| entry(&mut zip, &format!("{folder}data/{key}"), most))
            .map_err(|reason| format!("tensor {name}: {reason}"))?;
        // Many may share one storage.
        values += tensor.numel() as u64;
        if values > most {
            return Err(format!("its tensors hold more than {most} values, far more than the file"));
        }
        read.insert(name.trim_start_matches("module.").to_owned(), tensor);
    }
    Ok(read)
}

fn entry(zip: &mut ZipArchive<Cursor<&[u8]>>, name: &str, most: u64) -> Result<Vec<u8>, String> {
    let file = zip.by_name(name).map_err(|e| format!("no {name} in the zip: {e}"))?;
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes).map_err(|e| format!("{name}: {e}"))?;
    if bytes.len() as u64 > most {
        return Err(format!("{name} unpacks to more than {most} bytes"));
    }
    Ok(bytes)
}

/// The first dictionary with tensors in it, the value itself or inside of it: checkpoints wrap theirs.
fn state_dict(value: &Value) -> Option<Vec<(&str, &Value)>> {
    let Value::Dict(items) = value else { return None };
    let is_tensor = |v: &Value| matches!(v, Value::Call(what, _) if **what == Value::Global(REBUILD.into()));
    let named = items.iter().filter_map(|(key, value)| match key {
        Value::Text(name) if is_tensor(value) => Some((name.as_str(), value)),
        _ => None,
    });
    let named: Vec<_> = named.collect();
    if named.is_empty() { items.iter().find_map(|(_, value)| state_dict(value)) } else { Some(named) }
}

/// What makes a tensor of a storage, an offset, sizes and strides.
const REBUILD: &str = "torch._utils._rebuild_tensor_v2";

fn tensor(description: &Value, storage: impl FnOnce(&str) -> Result<Vec<u8>, String>) -> Result<Tensor, String> {
    let strange = || "it is described in an unknown way".to_string();
    let Value::Call(_, arguments) = description else { return Err(strange()) };
    let Value::List(arguments) = arguments.as_ref() else { return Err(strange()) };
    let [Value::Outside(place), Value::Int(offset), Value::List(size), Value::List(stride), ..] = arguments.as_slice() else {
        return Err(strange());
    };
    let Value::List(place) = place.as_ref() else { return Err(strange()) };
    let [_, Value::Global(class), Value::Text(key), ..] = place.as_slice() else { return Err(strange()) };
    let (kind, width) = match class.as_str() {
        "torch.FloatStorage" => (Kind::Float, 4),
        "torch.DoubleStorage" => (Kind::Double, 8),
        "torch.HalfStorage" => (Kind::Half, 2),
        "torch.BFloat16Storage" => (Kind::BFloat16, 2),
        "torch.LongStorage" => (Kind::Int64, 8),
        other => return Err(format!("values of type {other} are not read")),
    };
    let numbers = |list: &[Value]| -> Result<Vec<i64>, String> {
        list.iter().map(|v| if let Value::Int(n) = v { Ok(*n) } else { Err(strange()) }).collect()
    };
    let (size, stride) = (numbers(size)?, numbers(stride)?);
    let bytes = storage(key)?;
    let values = bytes.len() / width;
    // A stride of 0 makes any number of values of one; no weights do.
    let count = size.iter().try_fold(1usize, |count, &n| count.checked_mul(usize::try_from(n).ok()?));
    if count.is_none_or(|count| count > values) {
        return Err(format!("its size {size:?} asks for more values than the {values} that there are"));
    }
    let make = || {
        let flat = Tensor::f_from_data_size(&bytes[..values * width], &[values as i64], kind)?;
        flat.f_as_strided(&size, &stride, *offset)?.f_to_kind(Kind::Float)?.f_contiguous()
    };
    make().map_err(|e| format!("its size does not fit its values: {}", e.to_string().lines().next().unwrap_or_default()))
}
