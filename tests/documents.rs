//! Help, completions and manual pages come from one definition.

mod util;

use util::Dir;

#[test]
fn every_subcommand_explains_itself() {
    let dir = Dir::new();
    let help = dir.ok(&["--help"]).stdout;
    for command in ["index", "query", "list", "show", "remove", "stats", "verify", "compact", "pitch", "models", "demo", "train"]
    {
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
