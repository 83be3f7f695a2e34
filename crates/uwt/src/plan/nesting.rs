//! Wrapped commands that call wrapped commands, and where that ends.

use std::ffi::OsStr;

use uwt_config::{Origin, Setting};

use crate::environment::Environment;
use crate::message::Failure;

/// Counts; exported.
pub(crate) const COUNTER: &str = "uwtwrapper_counter";
/// Overrides the configured limit.
const LIMIT: &str = "uwtwrapper_max";

/// How deep we are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Depth {
    /// This call included.
    pub(crate) count: u32,
    /// 0: no limit.
    pub(crate) limit: Setting<u32>,
}

/// One level deeper than the environment says.
///
/// # Errors
/// That is too deep, or one of the variables is no number.
pub(crate) fn deeper(environment: &Environment, configured: &Setting<u32>) -> Result<Depth, Failure> {
    let before = environment.get_filled(COUNTER).map_or(Ok(0), |value| number(COUNTER, value))?;
    let limit = match environment.get_filled(LIMIT) {
        Some(value) => Setting::new(number(LIMIT, value)?, Origin::Environment(LIMIT)),
        None => configured.clone(),
    };
    if limit.value != 0 && before >= limit.value {
        return Err(too_deep(before, limit.value));
    }
    Ok(Depth { count: before.saturating_add(1), limit })
}

fn number(name: &str, value: &OsStr) -> Result<u32, Failure> {
    // Digits only: FromStr takes a sign too.
    let digits = value.to_str().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    digits.and_then(|text| text.parse().ok()).ok_or_else(|| {
        Failure::ours(format!("{name} in the environment is '{}', expected a number; unset it", value.display()))
    })
}

fn too_deep(count: u32, limit: u32) -> Failure {
    Failure {
        status: Failure::NESTED,
        preface: Some(format!(
            "uwtwrapper uwt wrapper ERROR: More than {COUNTER} '{count}' nested executions ({LIMIT}: '{limit}')."
        )),
        message: format!(
            "most likely two symbolic links point at each other, so that a wrapped command calls itself without end; if \
             this depth is intended, raise it by `max_nested = {}` in /etc/uwt.d/50_user.toml or {LIMIT} in the \
             environment (0 switches the protection off)",
            limit.saturating_mul(10)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::tests::environment;

    #[test]
    fn counting() {
        let built_in = Setting::built_in(10);
        for (entries, count, limit) in [
            (&[][..], 1, 10),
            (&["uwtwrapper_counter="], 1, 10),
            (&["uwtwrapper_counter=9"], 10, 10),
            (&["uwtwrapper_counter=10", "uwtwrapper_max=11"], 11, 11),
            (&["uwtwrapper_counter=4294967295", "uwtwrapper_max=0"], u32::MAX, 0),
        ] {
            let depth = deeper(&environment(entries), &built_in).expect("allowed");
            assert_eq!((depth.count, depth.limit.value), (count, limit), "{entries:?}");
        }
        assert_eq!(deeper(&environment(&["uwtwrapper_counter=99"]), &Setting::built_in(0)).expect("off").count, 100);
    }

    #[test]
    fn the_message() {
        let too_deep = |entries: &[&str]| deeper(&environment(entries), &Setting::built_in(10)).expect_err("too deep");
        let failure = too_deep(&["uwtwrapper_counter=10"]);
        assert_eq!(failure.status, 255);
        assert_eq!(
            failure.preface.as_deref(),
            Some(
                "uwtwrapper uwt wrapper ERROR: More than uwtwrapper_counter '10' nested executions (uwtwrapper_max: '10')."
            )
        );
        assert!(failure.message.contains("two symbolic links point at each other"));
        let failure = too_deep(&["uwtwrapper_counter=12", "uwtwrapper_max=3"]);
        assert!(failure.preface.expect("exact").ends_with("'12' nested executions (uwtwrapper_max: '3')."));
    }

    #[test]
    fn what_is_no_number() {
        for entry in [
            "uwtwrapper_max=ten",
            "uwtwrapper_max=-1",
            "uwtwrapper_max=+1",
            "uwtwrapper_max= 1",
            "uwtwrapper_counter=4294967296",
        ] {
            let failure = deeper(&environment(&[entry]), &Setting::built_in(10)).expect_err(entry);
            assert_eq!(failure.status, Failure::OURS, "{entry}");
            assert!(failure.message.starts_with(entry.split('=').next().expect("name")), "{}", failure.message);
        }
    }
}
