//! Who may import whom.

use serde_json::Value;

use super::Finding;

/// Each crate of the workspace and the crates of the workspace that it may depend on, tests and build scripts
/// included. Everything that isn't named is forbidden.
const ALLOWED: &[(&str, &[&str])] = &[
    ("uwt-socks5", &[]),
    ("uwt-policy", &[]),
    ("uwt-guard", &[]),
    ("uwt-session", &["uwt-policy", "uwt-socks5"]),
    ("uwt-config", &["uwt-session", "uwt-policy", "uwt-socks5"]),
    ("uwt-preload", &["uwt-session", "uwt-policy", "uwt-socks5"]),
    ("uwt-report", &[]),
    ("uwt-helper", &["uwt-session", "uwt-policy", "uwt-socks5", "uwt-guard", "uwt-report"]),
    ("uwt-cli", &["uwt-config", "uwt-policy"]),
    ("uwt-texts", &["uwt-cli", "uwt-config", "uwt-policy"]),
    ("uwt", &["uwt-cli", "uwt-config", "uwt-helper", "uwt-guard", "uwt-session", "uwt-policy"]),
    ("uwtctl", &["uwt-cli", "uwt-config", "uwt-report", "uwt-session", "uwt-policy", "uwt-socks5"]),
    ("uwt-tests", &[]),
    ("xtask-artifacts", &[]),
    ("xtask", &["xtask-artifacts"]),
];

/// Looks at every dependency of kind path, whatever its kind, target or name.
pub(super) fn check(metadata: &Value) -> Vec<Finding> {
    let root = metadata["workspace_root"].as_str().unwrap_or_default();
    list(&metadata["packages"]).iter().flat_map(|package| check_package(package, root)).collect()
}

fn check_package(package: &Value, root: &str) -> Vec<Finding> {
    let name = package["name"].as_str().unwrap_or_default();
    let manifest = package["manifest_path"].as_str().unwrap_or_default();
    let manifest = manifest.strip_prefix(root).unwrap_or(manifest).trim_start_matches('/');
    let Some((_, allowed)) = ALLOWED.iter().find(|(known, _)| *known == name) else {
        let message = format!("the crate {name} is not in the list of arrows, xtask/src/tidy/arrows.rs");
        return vec![Finding::in_file(manifest, message)];
    };
    list(&package["dependencies"])
        .iter()
        .filter(|dependency| dependency["path"].is_string())
        .filter_map(|dependency| dependency["name"].as_str())
        .filter(|dependency| !allowed.contains(dependency))
        .map(|dependency| {
            let may = if allowed.is_empty() { "no crate of ours".to_owned() } else { allowed.join(", ") };
            Finding::in_file(manifest, format!("{name} must not depend on {dependency}; it may on {may}"))
        })
        .collect()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn workspace(name: &str, dependencies: &Value) -> Value {
        json!({
            "workspace_root": "/w",
            "packages": [{"name": name, "manifest_path": "/w/crates/x/Cargo.toml", "dependencies": dependencies}],
        })
    }

    #[test]
    fn arrows_point_one_way() {
        let session = json!([
            {"name": "uwt-policy", "path": "/w/crates/policy"},
            {"name": "libc", "path": null},
            {"name": "uwt-config", "path": "/w/crates/config", "kind": "dev"},
        ]);
        assert_eq!(
            check(&workspace("uwt-session", &session)),
            [Finding::in_file(
                "crates/x/Cargo.toml",
                "uwt-session must not depend on uwt-config; it may on uwt-policy, uwt-socks5"
            )]
        );
        assert_eq!(check(&workspace("uwt-config", &json!([{"name": "uwt-session", "path": "/w"}]))), []);
        assert_eq!(check(&workspace("xtask", &json!([{"name": "uwt-policy", "path": "/w"}]))).len(), 1);
    }

    #[test]
    fn a_new_crate_must_be_listed() {
        assert_eq!(check(&workspace("uwt-extra", &json!([]))).len(), 1);
    }

    #[test]
    fn the_list_has_no_cycle() {
        let mut known: Vec<&str> = Vec::new();
        while known.len() < ALLOWED.len() {
            let next = ALLOWED.iter().find(|(name, allowed)| {
                !known.contains(name) && allowed.iter().all(|dependency| known.contains(dependency))
            });
            known.push(next.expect("one that depends only on known ones").0);
        }
    }
}
