//! The file of the user's secret: one line, the boot it belongs to and the secret in hexadecimal digits.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use uwt_session::Secret;

use crate::message::Failure;

const NAME: &str = "secret";
/// More than a file of ours can have.
const LONGEST: u64 = 256;

/// The secret kept in `folder` for the boot `boot`; if there is none, everybody who asks at the same time gets the same
/// new one.
///
/// # Errors
/// The file is not one that only `owner` can have written and read.
pub(crate) fn shared(folder: &Path, owner: u32, boot: &str) -> Result<Secret, Failure> {
    let path = folder.join(NAME);
    if let Some(secret) = read(&path, owner, boot)? {
        return Ok(secret);
    }
    let failed = |error: std::io::Error| Failure::ours(format!("{}: {error}; make it writable", folder.display()));
    // Whoever has the lock makes the file, the others find it.
    let lock = File::open(folder).map_err(failed)?;
    lock.lock().map_err(failed)?;
    if let Some(secret) = read(&path, owner, boot)? {
        return Ok(secret);
    }
    let secret = super::new()?;
    write(folder, boot, &secret).map_err(failed)?;
    Ok(secret)
}

/// Whether only `owner` can put something into the folder.
///
/// # Errors
/// Somebody else can.
pub(crate) fn check_folder(folder: &Path, owner: u32) -> Result<(), Failure> {
    let status = fs::symlink_metadata(folder).map_err(|error| refused(folder, &error.to_string()))?;
    let cause = if !status.is_dir() {
        "is not a folder"
    } else if status.uid() != owner {
        "belongs to somebody else"
    } else if status.mode() & 0o077 != 0 {
        "is open to others"
    } else {
        return Ok(());
    };
    Err(refused(folder, cause))
}

fn refused(path: &Path, cause: &str) -> Failure {
    let shown = path.display();
    Failure::ours(format!("{shown}: {cause}; remove {shown}, the next call makes a new one"))
}

/// The secret of this boot; `None` if there is none or it is an older boot's.
fn read(path: &Path, owner: u32, boot: &str) -> Result<Option<Secret>, Failure> {
    // Neither a link, nor a pipe that would hold us up.
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY;
    let file = match File::options().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) if error.raw_os_error() == Some(libc::ELOOP) => return Err(refused(path, "is a symbolic link")),
        Err(error) => return Err(refused(path, &error.to_string())),
    };
    let status = file.metadata().map_err(|error| refused(path, &error.to_string()))?;
    let cause = if !status.is_file() {
        "is not a regular file"
    } else if status.uid() != owner {
        "belongs to somebody else"
    } else if status.mode() & 0o077 != 0 {
        "is open to others"
    } else {
        ""
    };
    if !cause.is_empty() {
        return Err(refused(path, cause));
    }
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text).map_err(|error| refused(path, &error.to_string()))?;
    match parse(&text) {
        Some((of_boot, secret)) => Ok((of_boot == boot).then_some(secret)),
        None => Err(refused(path, "is malformed")),
    }
}

fn parse(text: &str) -> Option<(&str, Secret)> {
    let (boot, digits) = text.strip_suffix('\n')?.split_once(' ')?;
    if boot.is_empty() || digits.len() != 2 * Secret::LEN || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; Secret::LEN];
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some((boot, Secret::new(bytes)))
}

/// Puts the file there in one step. Needs the folder's lock.
fn write(folder: &Path, boot: &str, secret: &Secret) -> std::io::Result<()> {
    let mut text = format!("{boot} ");
    for byte in secret.bytes() {
        let _ = write!(text, "{byte:02x}");
    }
    text.push('\n');
    let staged = folder.join(format!(".{NAME}.{}", std::process::id()));
    // Left by a process that was killed here and had our number; the lock says it is nobody's.
    match fs::remove_file(&staged) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(&staged)?;
    file.write_all(text.as_bytes())?;
    fs::rename(&staged, folder.join(NAME))
}

#[cfg(test)]
mod tests;
