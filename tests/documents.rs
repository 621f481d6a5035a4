//! What people read: help, completions and manual pages come from one definition, and the documents say what is so.
#![cfg(feature = "torch")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod util;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use util::Dir;

#[test]
fn every_subcommand_explains_itself() {
    let dir = Dir::new();
    let help = dir.ok(&["--help"]).stdout;
    for command in [
        "index",
        "query",
        "serve",
        "list",
        "show",
        "remove",
        "stats",
        "verify",
        "compact",
        "duplicates",
        "pitch",
        "models",
        "demo",
        "eval",
        "train",
    ] {
        assert!(help.contains(&format!("\n  {command} ")), "{command} is missing from\n{help}");
        let own = dir.ok(&[command, "--help"]).stdout;
        assert!(own.contains("Usage:"), "{command} --help:\n{own}");
    }
}

#[test]
fn completions_for_every_shell() {
    let dir = Dir::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = dir.ok(&["completions", shell]).stdout;
        assert!(script.contains("query") && script.contains("compact"), "{shell}:\n{script}");
    }
}

#[test]
fn manual_pages() {
    let dir = Dir::new();
    let page = dir.ok(&["man"]).stdout;
    assert!(page.contains(".TH qbh 1") && page.contains("QBH_INDEX"), "{page}");
    dir.ok(&["man", "--dir", "pages"]);
    assert!(std::fs::read_to_string(dir.path("pages/qbh-query.1")).unwrap().contains("json"));
}

#[test]
fn mistakes_in_arguments_are_errors() {
    let dir = Dir::new();
    assert_eq!(dir.run(&["no-such-command"]).status, 2);
    assert_eq!(dir.run(&["query"]).status, 2);
    assert_eq!(dir.run(&["--quiet", "--verbose", "list"]).status, 2);
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let dir = Dir::new();
    let mut child = dir.command(&["completions", "bash"]).stdout(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

/// The documents, by their path from the root of the repository.
fn documents() -> HashMap<PathBuf, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<PathBuf> = ["", "models", "models/weights", "docs", "docs/experiments", "tests/data/audio"]
        .iter()
        .flat_map(|folder| std::fs::read_dir(root.join(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .collect();
    files.retain(|file| file.extension().is_some_and(|e| e == "md"));
    let read = |file: PathBuf| (file.strip_prefix(root).unwrap().to_path_buf(), std::fs::read_to_string(&file).unwrap());
    files.into_iter().map(read).collect()
}

/// The text outside of fenced blocks, and the text inside of them.
fn prose_and_code(text: &str) -> (String, String) {
    let (mut prose, mut code, mut inside) = (String::new(), String::new(), false);
    for line in text.lines() {
        if line.starts_with("```") {
            inside = !inside;
        } else {
            let part = if inside { &mut code } else { &mut prose };
            part.push_str(line);
            part.push('\n');
        }
    }
    assert!(!inside, "a fenced block does not end");
    (prose, code)
}

#[test]
fn what_a_newcomer_reads_first_is_short() {
    let documents = documents();
    for name in ["README.md", "models/README.md"] {
        let words = documents[Path::new(name)].split_whitespace().count();
        assert!(words <= 1500, "{name} has {words} words");
    }
    let readme = &documents[Path::new("README.md")];
    for line in readme.lines() {
        assert!(line.chars().count() <= 160, "{} characters: {line}", line.chars().count());
    }
    assert!(readme.contains("make test") && readme.contains("--locked"));
}

#[test]
fn links_lead_somewhere() {
    let documents = documents();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (name, text) in &documents {
        for link in prose_and_code(text).0.split("](").skip(1) {
            let target = link.split(')').next().unwrap_or_default();
            if target.contains("://") {
                continue;
            }
            let (path, anchor) = target.split_once('#').map_or((target, None), |(path, anchor)| (path, Some(anchor)));
            let file = if path.is_empty() { root.join(name) } else { root.join(name).parent().unwrap().join(path) };
            assert!(file.exists(), "{}: {target} leads nowhere", name.display());
            if let Some(anchor) = anchor {
                let text = std::fs::read_to_string(&file).unwrap();
                let found = prose_and_code(&text).0.lines().any(|line| line.starts_with('#') && slug(line) == anchor);
                assert!(found, "{}: {target}: no such heading", name.display());
            }
        }
    }
    let notebook = &documents[Path::new("docs/experiments/README.md")];
    for name in documents.keys().filter(|name| name.starts_with("docs/experiments") && !name.ends_with("README.md")) {
        let name = name.file_name().unwrap().to_str().unwrap();
        assert!(notebook.contains(&format!("]({name})")), "{name} is missing from the notebook's contents");
    }
}

/// The anchor that a heading gets.
fn slug(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    text.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn commands_in_the_documents_exist() {
    let dir = Dir::new();
    let mut helps: HashMap<String, String> = HashMap::new();
    let mut checked = 0;
    for (name, text) in documents() {
        // The notebook and the cards quote commands of their time; the changelog of any time.
        if name.starts_with("docs/experiments") || name.starts_with("models/weights") || name.ends_with("CHANGELOG.md") {
            continue;
        }
        let (prose, code) = prose_and_code(&text);
        let inline = prose.split('`').skip(1).step_by(2);
        let lines = code.replace("\\\n", " ");
        for command in lines.lines().chain(inline).filter_map(arguments) {
            let (subcommand, options) = command;
            let help = helps.entry(subcommand.clone()).or_insert_with(|| {
                let words: Vec<&str> = subcommand.split(' ').chain(["--help"]).collect();
                let ran = dir.run(&words);
                assert_eq!(ran.status, 0, "{}: there is no `qbh {subcommand}`", name.display());
                ran.stdout
            });
            for option in options {
                let known = help.split(|c: char| !(c.is_alphanumeric() || c == '-')).any(|word| word == option);
                assert!(known, "{}: `qbh {subcommand}` has no {option}", name.display());
            }
            checked += 1;
        }
    }
    assert!(checked > 50, "{checked} commands");
}

/// The subcommand and the options of a line with a call of qbh in it.
fn arguments(line: &str) -> Option<(String, Vec<String>)> {
    let line = line.split(" # ").next()?;
    let mut words = line.split_whitespace().skip_while(|word| *word != "qbh").skip(1).peekable();
    let mut options = Vec::new();
    let mut subcommand = Vec::new();
    while let Some(word) = words.next() {
        if word == "|" || word == ">" {
            break;
        }
        let plain = word.chars().all(|c| c.is_ascii_lowercase());
        let nested = matches!(subcommand[..], ["eval" | "train" | "models"]);
        if word.trim_start_matches('-') != word && word.ends_with(|c: char| c.is_alphabetic() || c == ',') {
            options.push(word.split('=').next()?.trim_end_matches(',').to_string());
            if word == "--index" {
                words.next();
            }
        } else if plain && (subcommand.is_empty() || nested && options.is_empty()) {
            subcommand.push(word);
        } else if subcommand.is_empty() {
            return None; // `qbh COMMAND`
        }
    }
    options.retain(|option| option != "--mic" || cfg!(feature = "mic"));
    (!subcommand.is_empty()).then(|| (subcommand.join(" "), options))
}
