//! Where this machine gets its Debian packages: the only mirror that is known to be reachable from it.

use anyhow::{Context, Result};

use crate::workspace::{run, text};
use std::process::Command;

/// The address of the archive, as it stands in apt's configuration.
pub(super) fn find() -> Result<String> {
    if let Some(found) = ask()? {
        return Ok(found);
    }
    // Who publishes an archive stands in its index, which has not been fetched yet.
    run(Command::new("apt-get").args(["-qq", "update"]))?;
    ask()?.context("apt's sources name no archive of Debian's")
}

fn ask() -> Result<Option<String>> {
    let format = "$(ORIGIN)|$(LABEL)|$(REPO_URI)";
    let listing = text(Command::new("apt-get").args(["indextargets", "--format", format, "Created-By: Packages"]))?;
    Ok(archive(&listing).map(str::to_owned))
}

/// The first archive with the releases themselves; the one with their security updates has another label.
fn archive(listing: &str) -> Option<&str> {
    listing.lines().find_map(|line| line.strip_prefix("Debian|Debian|"))
}

#[cfg(test)]
mod tests {
    use super::archive;

    #[test]
    fn the_archive_of_debian_is_found_among_others() {
        let listing = "Node Source|Node Source|https://n.example/\nDebian|Debian-Security|http://s.example/debian-security/\n\
                       Debian|Debian|http://d.example/debian/\nDebian|Debian|http://second.example/debian/\n";
        assert_eq!(archive(listing), Some("http://d.example/debian/"));
        assert_eq!(archive("$(ORIGIN)|$(LABEL)|http://d.example/debian/\n"), None, "no index");
        assert_eq!(archive(""), None);
    }
}
