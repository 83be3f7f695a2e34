//! The values of options, read with messages that say what is expected.

use uwt_config::{GatewayChoice, GuardChoice, Invalid, identity_name};
use uwt_policy::{DnsMode, Scope};

/// How `--explain` prints the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExplainFormat {
    /// In columns, for people.
    Text,
    /// An array of objects with the members `label`, `value` and `why`, for programs.
    Json,
}

impl ExplainFormat {
    /// The words, in the order they are documented.
    pub const WORDS: [&'static str; 2] = ["text", "json"];
}

pub(crate) fn explain(text: &str) -> Result<ExplainFormat, String> {
    match text {
        "text" => Ok(ExplainFormat::Text),
        "json" => Ok(ExplainFormat::Json),
        _ => Err(format!("expected {}", ExplainFormat::WORDS.join(" or "))),
    }
}

pub(crate) fn socks_version(text: &str) -> Result<u8, String> {
    if text == "5" { Ok(5) } else { Err("only SOCKS version 5 is spoken: `-t 5`, or leave the option out".to_owned()) }
}

pub(crate) fn scope(text: &str) -> Result<Scope, String> {
    match text.parse() {
        Ok(Scope::Identity) => Err("an identity has a name: use `--identity NAME`".to_owned()),
        Ok(scope) => Ok(scope),
        Err(()) => Err("expected process, invocation, command, destination or none".to_owned()),
    }
}

pub(crate) fn dns(text: &str) -> Result<DnsMode, String> {
    text.parse().map_err(|()| "expected names or resolve".to_owned())
}

/// Reads the level of the guard, the value of `--guard`.
///
/// # Errors
/// It is no level; says which there are.
pub fn guard(text: &str) -> Result<GuardChoice, String> {
    text.parse().map_err(|_| "expected auto, tunnel, deny or off".to_owned())
}

pub(crate) fn gateway(text: &str) -> Result<GatewayChoice, String> {
    text.parse().map_err(|invalid: Invalid| invalid.to_string())
}

pub(crate) fn identity(name: &str) -> Result<String, String> {
    identity_name(name).map(str::to_owned).map_err(|invalid| invalid.to_string())
}
