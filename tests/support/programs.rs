//! Programs that tests compile from C and Go (`tests/leaks`, `tests/errors`): once, and again when a source or a command
//! line changes.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, anyhow};
use nix::fcntl::{Flock, FlockArg};

use crate::process::run;

/// How C is compiled.
const FLAGS: &[&str] = &["-std=gnu11", "-O1", "-Wall", "-Wextra", "-Wno-missing-field-initializers", "-Werror", "-o"];
/// The sources of `leak`.
const LEAK: &[&str] = &[
    "main.c",
    "report.c",
    "gates.c",
    "streams.c",
    "datagrams.c",
    "families.c",
    "names.c",
    "ring.c",
    "started.c",
    "life.c",
];
/// Where glibc keeps what musl has in one library.
const LIBRARIES: &[&str] = &["-lresolv", "-lanl", "-lpthread"];

/// One program: its name, its compiler with the first arguments, its sources, its last arguments.
#[derive(Debug)]
struct Program {
    name: &'static str,
    compiler: &'static [&'static str],
    sources: &'static [&'static str],
    last: &'static [&'static str],
}

/// What is made of the sources in one folder of `tests`.
#[derive(Debug)]
pub struct Programs {
    folder: &'static str,
    programs: &'static [Program],
}

/// Every way to reach the network.
pub const LEAKS: Programs = Programs {
    folder: "leaks",
    programs: &[
        Program { name: "dynamic", compiler: &["gcc", "-DDYNAMIC"], sources: LEAK, last: LIBRARIES },
        Program { name: "static", compiler: &["gcc", "-static"], sources: LEAK, last: LIBRARIES },
        Program { name: "static32", compiler: &["gcc", "-m32", "-static"], sources: LEAK, last: LIBRARIES },
        Program { name: "musl", compiler: &["musl-gcc", "-static"], sources: LEAK, last: &[] },
        Program { name: "forbid", compiler: &["gcc", "-static"], sources: &["forbid.c"], last: &[] },
        Program { name: "go-static", compiler: &["go", "0"], sources: &["client.go"], last: &[] },
        Program { name: "go-cgo", compiler: &["go", "1"], sources: &["client.go"], last: &[] },
    ],
};

/// A client that says how its connects fail.
pub const ERRORS: Programs = Programs {
    folder: "errors",
    programs: &[
        Program { name: "dynamic", compiler: &["gcc"], sources: &["client.c"], last: &[] },
        Program { name: "static", compiler: &["gcc", "-static"], sources: &["client.c"], last: &[] },
    ],
};

/// Makes every program that isn't there in `dir` in its present form.
///
/// Several processes may do so at once: the first compiles, the others wait.
///
/// # Errors
/// When a compiler is missing or complains; what it said is quoted.
pub fn make_all(programs: &Programs, dir: &Path) -> Result<Vec<PathBuf>> {
    fs::create_dir_all(dir).with_context(|| format!("{}", dir.display()))?;
    let lock = fs::File::create(dir.join("lock")).context("lock the compiled programs")?;
    let _lock = Flock::lock(lock, FlockArg::LockExclusive).map_err(|(_, error)| anyhow!("lock {error}"))?;
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join(programs.folder);
    programs.programs.iter().map(|program| make(program, &sources, dir)).collect()
}

/// Makes one; its path.
fn make(program: &Program, sources: &Path, dir: &Path) -> Result<PathBuf> {
    let output = dir.join(program.name);
    let part = dir.join(format!("{}.part", program.name));
    let mut command = command(program, sources, dir, &part);
    let (key, stamp) = (key(program, sources, &command)?, dir.join(format!("{}.key", program.name)));
    if !output.is_file() || fs::read_to_string(&stamp).ok().as_deref() != Some(&key) {
        run(&mut command)?;
        fs::rename(&part, &output)?;
        fs::write(stamp, key)?;
    }
    Ok(output)
}

/// The command that makes a program.
fn command(program: &Program, sources: &Path, dir: &Path, output: &Path) -> Command {
    let files = program.sources.iter().map(|source| sources.join(source));
    let mut command = Command::new(program.compiler[0]);
    if let ["go", cgo] = program.compiler {
        command.args(["build", "-trimpath", "-o"]).arg(output).args(files);
        // Nothing is downloaded and nothing of the user's settings matters.
        for (name, value) in [("CGO_ENABLED", *cgo), ("GO111MODULE", "off"), ("GOFLAGS", ""), ("GOENV", "off")] {
            command.env(name, value);
        }
        command.env("GOCACHE", dir.join("go-cache")).env("GOPATH", dir.join("go-path"));
    } else {
        command.args(&program.compiler[1..]).args(FLAGS).arg(output).args(files).args(program.last);
    }
    command
}

/// What the program depends on, as a number.
fn key(program: &Program, sources: &Path, command: &Command) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    format!("{command:?}").hash(&mut hasher);
    let mut files: Vec<PathBuf> = program.sources.iter().map(|source| sources.join(source)).collect();
    let all = fs::read_dir(sources).with_context(|| format!("{}", sources.display()))?;
    let all = all.flatten().map(|entry| entry.path());
    files.extend(all.filter(|path| path.extension().is_some_and(|extension| extension == "h")));
    // The order of a folder's entries is no matter.
    files.sort();
    for path in files {
        fs::read(&path).with_context(|| format!("{}", path.display()))?.hash(&mut hasher);
    }
    Ok(format!("{:016x}\n", hasher.finish()))
}
