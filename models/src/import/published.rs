//! Which tensors of the published networks are which of ours.

use std::collections::BTreeMap;

use tch::Tensor;

use super::keras::KerasFile;
use super::keras::Which::{self, Named, Nth};

/// Named tensors of one of our networks.
type Tensors = Vec<(String, Tensor)>;

/// `ssl` from Keras. Convolutions have names, the other layers only their order.
pub(super) fn ssl_of_keras(file: &KerasFile) -> Result<Tensors, String> {
    let mut ours = Vec::new();
    for block in 1..=4 {
        let names = ["conv_s{}_1x1", "conv{}_1", "conv{}_2", "conv_f{}_1x1"].map(|name| name.replace("{}", &block.to_string()));
        for (k, (own, name)) in ["enter", "first", "second", "leave"].iter().zip(names).enumerate() {
            let path = format!("block{block}.{own}");
            ours.push((format!("{path}.weight"), convolution(file, Named(&name))?));
            batch_norm(file, 4 * (block - 1) + k, &format!("{path}.bn"), &mut ours)?;
        }
    }
    lstm(file, 0, "lstm", &mut ours)?;
    dense(file, 0, "dense", &mut ours)?;
    Ok(ours)
}

/// `jdc` from Keras.
pub(super) fn jdc_of_keras(file: &KerasFile) -> Result<Tensors, String> {
    let mut ours = Vec::new();
    for block in 1..=4 {
        let named = |name: &str| convolution(file, Named(&format!("conv{block}_{name}")));
        ours.push((format!("block{block}.first.weight"), named("1")?));
        ours.push((format!("block{block}.second"), named("2")?));
        if block == 1 {
            batch_norm(file, 0, "block1.first.bn", &mut ours)?;
        } else {
            ours.push((format!("block{block}.skip"), named("1x1")?));
            batch_norm(file, 2 * block - 3, &format!("block{block}.bn"), &mut ours)?;
            batch_norm(file, 2 * block - 2, &format!("block{block}.first.bn"), &mut ours)?;
        }
    }
    batch_norm(file, 7, "leave.bn", &mut ours)?;
    ours.push((
        "voice.conv.weight".into(),
        convolution(file, Named("conv2d_1")).or_else(|_| convolution(file, Named("conv2d")))?,
    ));
    batch_norm(file, 8, "voice.conv.bn", &mut ours)?;
    for (n, path) in ["", "voice."].into_iter().enumerate() {
        lstm(file, n, &format!("{path}lstm"), &mut ours)?;
        dense(file, n, &format!("{path}dense"), &mut ours)?;
    }
    Ok(ours)
}

/// `ssl` from the state dict of its PyTorch port.
pub(super) fn ssl_of_torch(theirs: &BTreeMap<String, Tensor>) -> Result<Tensors, String> {
    let mut ours = Vec::new();
    let mut take = |own: String, name: String| {
        let tensor = theirs.get(&name).ok_or_else(|| format!("the network needs the tensor {name}, which the file lacks"))?;
        ours.push((own, tensor.shallow_clone()));
        Ok::<(), String>(())
    };
    for block in 0..4 {
        for (k, own) in ["enter", "first", "second", "leave"].iter().enumerate() {
            let (path, name) = (format!("block{}.{own}", block + 1), format!("block.{block}.conv{}", k + 1));
            take(format!("{path}.weight"), format!("{name}.conv.weight"))?;
            for part in ["weight", "bias", "running_mean", "running_var"] {
                take(format!("{path}.bn.{part}"), format!("{name}.bn.{part}"))?;
            }
        }
    }
    for direction in ["", "_reverse"] {
        for part in ["weight_ih", "weight_hh", "bias_ih", "bias_hh"] {
            take(format!("lstm.{part}_l0{direction}"), format!("lstm.{part}_l0{direction}"))?;
        }
    }
    for part in ["weight", "bias"] {
        take(format!("dense.{part}"), format!("final.{part}"))?;
    }
    Ok(ours)
}

/// (height, width, in, out) to (out, in, height, width).
fn convolution(file: &KerasFile, which: Which) -> Result<Tensor, String> {
    let kernel = file.get(which, "kernel")?;
    kernel.f_permute([3, 2, 0, 1]).and_then(|k| k.f_contiguous()).map_err(|_| format!("{which:?} is no convolution"))
}

fn batch_norm(file: &KerasFile, n: usize, path: &str, ours: &mut Tensors) -> Result<(), String> {
    let parts = [("weight", "gamma"), ("bias", "beta"), ("running_mean", "moving_mean"), ("running_var", "moving_variance")];
    for (own, name) in parts {
        ours.push((format!("{path}.{own}"), file.get(Nth("gamma", n), name)?.shallow_clone()));
    }
    Ok(())
}

/// Gates are in the same order in both (input, forget, cell, output); Keras has one bias, libtorch the sum of two.
fn lstm(file: &KerasFile, n: usize, path: &str, ours: &mut Tensors) -> Result<(), String> {
    for (direction, suffix) in [("forward", ""), ("backward", "_reverse")] {
        let get = |weight: &str| file.get(Nth("forward/kernel", n), &format!("{direction}/{weight}"));
        let turned = |weight: &str| get(weight)?.f_tr().and_then(|t| t.f_contiguous()).map_err(|e| e.to_string());
        let bias = get("bias")?;
        ours.push((format!("{path}.weight_ih_l0{suffix}"), turned("kernel")?));
        ours.push((format!("{path}.weight_hh_l0{suffix}"), turned("recurrent_kernel")?));
        ours.push((format!("{path}.bias_ih_l0{suffix}"), bias.shallow_clone()));
        ours.push((format!("{path}.bias_hh_l0{suffix}"), bias.zeros_like()));
    }
    Ok(())
}

/// Dense layers are the only ones whose bias has no direction: the convolutions have none.
fn dense(file: &KerasFile, n: usize, path: &str, ours: &mut Tensors) -> Result<(), String> {
    let kernel = file.get(Nth("bias", n), "kernel")?;
    ours.push((format!("{path}.weight"), kernel.f_tr().and_then(|t| t.f_contiguous()).map_err(|e| e.to_string())?));
    ours.push((format!("{path}.bias"), file.get(Nth("bias", n), "bias")?.shallow_clone()));
    Ok(())
}
