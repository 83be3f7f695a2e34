//! What programs are told, against its description.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::place::{Place, Ran};
use crate::program::ran;

/// Runs uwtctl with `--json`; what it prints is as `crates/uwtctl/schema/COMMAND.json` says, COMMAND being the first
/// argument.
#[track_caller]
pub(crate) fn json(place: &Place, arguments: &[&str]) -> (Ran, Value) {
    let ran = ran(place, &[&["--json"], arguments].concat());
    let document = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {ran:?}"));
    check(arguments[0], &document);
    (ran, document)
}

/// A document is as the command's schema says.
#[track_caller]
pub(crate) fn check(command: &str, document: &Value) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/uwtctl/schema");
    let text = fs::read_to_string(folder.join(format!("{command}.json"))).expect("a schema");
    let schema = serde_json::from_str(&text).expect("JSON");
    jsonschema::draft202012::meta::validate(&schema).unwrap_or_else(|error| panic!("{command}: {error}"));
    let validator = jsonschema::draft202012::new(&schema).expect("a schema that refers to nothing outside");
    let errors: Vec<String> =
        validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{command}: {errors:#?}\n{document:#}");
}
