//! What kind of file a program is, by its beginning.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// As much as [`uwt_policy::classify`] asks for.
const HEAD: usize = 4096;

/// The first bytes of a regular file.
///
/// # Errors
/// open(2)'s and read(2)'s.
pub(crate) fn head(path: &Path) -> io::Result<Vec<u8>> {
    // A device or a pipe of that name must not hold us up.
    let file = File::options().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)?;
    let mut head = Vec::with_capacity(HEAD);
    file.take(HEAD as u64).read_to_end(&mut head)?;
    Ok(head)
}
