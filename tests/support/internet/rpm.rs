//! A repository of RPM packages that holds none, made on the spot: enough for dnf to fetch its index.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Result;

use super::apt::sha256;

/// Makes `rpm/` below `files`: `repodata/repomd.xml` and the two lists that every repository has.
///
/// # Errors
/// When a file cannot be written.
pub fn make_repository(files: &Path) -> Result<()> {
    let data = files.join("rpm/repodata");
    fs::create_dir_all(&data)?;
    let mut index = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
                     <repomd xmlns=\"http://linux.duke.edu/metadata/repo\">\n<revision>1</revision>\n"
        .to_owned();
    for (kind, element, namespace) in [("primary", "metadata", "common"), ("filelists", "filelists", "filelists")] {
        let file = data.join(format!("{kind}.xml"));
        let list = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <{element} xmlns=\"http://linux.duke.edu/metadata/{namespace}\" packages=\"0\"></{element}>\n"
        );
        fs::write(&file, &list)?;
        let (sum, size) = (sha256(&file)?, list.len());
        // Writing to a String cannot fail.
        let _ = writeln!(
            index,
            "<data type=\"{kind}\"><checksum type=\"sha256\">{sum}</checksum><location href=\"repodata/{kind}.xml\"/>\
             <timestamp>1</timestamp><size>{size}</size></data>"
        );
    }
    index.push_str("</repomd>\n");
    Ok(fs::write(data.join("repomd.xml"), index)?)
}
