//! The file of the user's secret: one line, the boot it belongs to and the secret in hexadecimal digits.

use std::fmt::Write as _;
use std::path::Path;

use uwt_session::Secret;

use crate::message::Failure;
use crate::runtime::file;

const NAME: &str = "secret";

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
    let lock = file::lock(folder).map_err(failed)?;
    if let Some(secret) = read(&path, owner, boot)? {
        return Ok(secret);
    }
    let secret = super::new()?;
    file::replace(folder, NAME, &line(boot, &secret)).map_err(failed)?;
    drop(lock);
    Ok(secret)
}

/// The secret of this boot; `None` if there is none or it is an older boot's.
fn read(path: &Path, owner: u32, boot: &str) -> Result<Option<Secret>, Failure> {
    let Some(text) = file::read(path, owner)? else { return Ok(None) };
    match parse(&text) {
        Some((of_boot, secret)) => Ok((of_boot == boot).then_some(secret)),
        None => Err(file::refused(path, "is malformed")),
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

/// The file's content.
fn line(boot: &str, secret: &Secret) -> String {
    let mut text = format!("{boot} ");
    for byte in secret.bytes() {
        let _ = write!(text, "{byte:02x}");
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests;
