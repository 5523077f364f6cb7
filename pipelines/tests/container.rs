//! What the images are made of: the Dockerfile names packages and programs that there are, and the versions of this workspace.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use cargo_metadata::{MetadataCommand, TargetKind};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn the_images_hold_every_program_of_a_stage_and_deliverable() {
    let dockerfile = std::fs::read_to_string(root().join("Dockerfile")).unwrap();
    let metadata = MetadataCommand::new().no_deps().manifest_path(root().join("Cargo.toml")).exec().unwrap();
    let copied: BTreeSet<&str> =
        dockerfile.split_whitespace().filter_map(|word| word.strip_prefix("/src/target/release/")).collect();
    // `peer` measures beside other libraries and `fixtures` makes what is embedded: neither is for users.
    let programs: BTreeSet<&str> = metadata
        .packages
        .iter()
        .filter(|package| !["benches", "fixtures"].contains(&package.name.as_str()))
        .flat_map(|package| &package.targets)
        .filter(|target| target.kind.contains(&TargetKind::Bin))
        .map(|target| target.name.as_str())
        .collect();
    assert_eq!(copied, programs);
    for folder in dockerfile.split_whitespace().filter_map(|word| word.strip_prefix("/src/fixtures/")) {
        assert!(root().join("fixtures").join(folder).is_dir(), "fixtures/{folder}");
    }
    let names: Vec<&str> = metadata.packages.iter().map(|package| package.name.as_str()).collect();
    for line in dockerfile.lines().filter(|line| line.contains("cargo build")) {
        let mut words = line.split_whitespace().skip_while(|word| *word != "-p").skip(1);
        assert!(words.next().is_none_or(|package| names.contains(&package)), "{line}");
        assert!(line.contains("--locked"), "{line}");
    }
}

#[test]
fn the_images_are_built_with_the_toolchain_of_the_workspace() {
    let dockerfile = std::fs::read_to_string(root().join("Dockerfile")).unwrap();
    let toolchain = std::fs::read_to_string(root().join("rust-toolchain.toml")).unwrap();
    let channel = toolchain.split("channel = \"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let minor = channel.rsplit_once('.').unwrap().0;
    assert!(dockerfile.contains(&format!("RUST_IMAGE=rust:{minor}-slim-")), "the image of Rust is not {minor}");
    assert!(dockerfile.contains(&format!("RUSTUP_TOOLCHAIN={channel} ")), "the toolchain is not {channel}");
}
