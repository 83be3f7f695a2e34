//! Writes the manual pages and the completions of the shells, all of them made of the launcher's own options.

mod completions;
mod markdown;
mod options;
mod pages;
mod write;

fn main() -> anyhow::Result<()> {
    write::run()
}
