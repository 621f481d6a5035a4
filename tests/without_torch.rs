//! The small program: what it does alone, and what it leaves to `qbh-torch` beside it.
#![cfg(all(not(feature = "torch"), unix))]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A copy of the program in a folder of its own, where no `qbh-torch` lies.
fn program(folder: &TempDir) -> PathBuf {
    let program = folder.path().join("qbh");
    std::fs::copy(env!("CARGO_BIN_EXE_qbh"), &program).unwrap();
    program
}

/// A `qbh-torch` that says what it was asked, and ends with status 7.
fn torch_beside(program: &Path) {
    let torch = program.with_file_name("qbh-torch");
    std::fs::write(&torch, "#!/bin/sh\nfor word in \"$@\"; do echo \"<$word>\"; done\nexit 7\n").unwrap();
    std::fs::set_permissions(&torch, std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn run(program: &Path, arguments: &[&str], folder: &TempDir) -> Output {
    let index = folder.path().join("index");
    Command::new(program).args(arguments).env("QBH_INDEX", index).env("HOME", folder.path()).output().unwrap()
}

const FOR_TORCH: [&[&str]; 4] = [
    &["train", "extractor", "--arch", "harmonic-s", "--out", "some where"],
    &["train", "--help"],
    &["-q", "pitch", "--device", "cuda", "hum.wav", "-o", "out"],
    &["models", "import", "weights.hdf5"],
];

#[test]
fn what_needs_torch_says_in_one_line_how_to_get_it() {
    let folder = TempDir::new().unwrap();
    let program = program(&folder);
    let foreign = folder.path().join("weights.hdf5");
    std::fs::write(&foreign, b"\x89HDF\r\n\x1a\n").unwrap();
    std::fs::write(folder.path().join("hum.wav"), b"RIFF").unwrap();
    for arguments in FOR_TORCH {
        let arguments: Vec<&str> =
            arguments.iter().map(|a| if *a == "weights.hdf5" { foreign.to_str().unwrap() } else { a }).collect();
        let ran = run(&program, &arguments, &folder);
        let error = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(ran.status.code(), Some(2), "{arguments:?}: {error}");
        assert!(error.contains("make torch") && error.lines().count() == 1, "{arguments:?}: {error}");
    }
}

#[test]
fn what_needs_torch_is_done_by_the_program_beside_with_the_same_arguments() {
    let folder = TempDir::new().unwrap();
    let program = program(&folder);
    torch_beside(&program);
    let foreign = folder.path().join("weights.hdf5");
    std::fs::write(&foreign, b"\x89HDF\r\n\x1a\n").unwrap();
    for arguments in FOR_TORCH {
        let arguments: Vec<&str> =
            arguments.iter().map(|a| if *a == "weights.hdf5" { foreign.to_str().unwrap() } else { a }).collect();
        let ran = run(&program, &arguments, &folder);
        let said: String = arguments.iter().map(|word| format!("<{word}>\n")).collect();
        assert_eq!((ran.status.code(), String::from_utf8(ran.stdout).unwrap()), (Some(7), said));
    }
}

#[test]
fn weights_of_a_network_that_needs_torch_are_left_to_it() {
    let folder = TempDir::new().unwrap();
    let program = program(&folder);
    // Weights of no tensor, of an architecture that only libtorch runs.
    let header = br#"{"__metadata__":{"architecture":"ssl"}}"#;
    let weights = folder.path().join("mine.safetensors");
    std::fs::write(&weights, [&(header.len() as u64).to_le_bytes()[..], header].concat()).unwrap();
    let hum = folder.path().join("hum.wav");
    std::fs::write(&hum, b"RIFF").unwrap();
    let [weights, hum] = [&weights, &hum].map(|path| path.to_str().unwrap());
    let ran = run(&program, &["pitch", "--extractor", weights, hum, "-o", "out"], &folder);
    let error = String::from_utf8(ran.stderr).unwrap();
    assert!(error.contains("the extractor ssl needs libtorch") && error.contains("make torch"), "{error}");
    torch_beside(&program);
    assert_eq!(run(&program, &["pitch", "--extractor", weights, hum, "-o", "out"], &folder).status.code(), Some(7));
}

#[cfg(target_os = "linux")]
#[test]
fn it_loads_the_c_library_and_its_kin_only() {
    let Ok(listed) = Command::new("ldd").arg(env!("CARGO_BIN_EXE_qbh")).output() else { return };
    let listed = String::from_utf8(listed.stdout).unwrap();
    for line in listed.lines().filter(|line| !line.contains("statically linked")) {
        let library = line.trim().rsplit('/').next().unwrap_or(line).split([' ', '.']).next().unwrap_or(line);
        let of_c =
            ["linux-vdso", "libc", "libm", "libgcc_s", "libdl", "libpthread", "librt", "ld-linux-x86-64", "ld-linux-aarch64"];
        assert!(of_c.contains(&library), "{line} in\n{listed}");
    }
}
