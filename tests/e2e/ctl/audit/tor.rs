//! Audits in front of real Tor: what they say is what Tor says.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};
use support::lab::Lab;

use super::programs::SHIPPED;
use crate::place::{Place, bin_dir, run};
use crate::schema::check;

#[test]
fn tor_has_circuits_with_the_credentials_of_the_audit() {
    let lab = Lab::attach();
    let workstation = lab.private_workstation();
    let place = Place::new();
    let socks = lab.socks();
    place.configure(&format!("gateway = \"{}\"\nport = {}\n{SHIPPED}", socks.ip(), socks.port()));
    let mut control = lab.control();
    let mut credentials = BTreeSet::new();
    // curl speaks to the SocksPort itself, wget is connected there.
    for (program, option, layers) in [("curl", "-sS", &["program"][..]), ("wget", "-qO-", &["preload", "relay"])] {
        for host in ["www.lab.test", lab.onion()] {
            let file = place.at("report.json");
            let mut command = workstation.command(bin_dir().join("uwtctl"));
            command.env_clear().env("PATH", "/usr/bin:/bin").env("UWT_CONFIG_PATH", place.at("etc"));
            command.env("HOME", place.at("")).args(["--json", "audit", "--output"]).arg(&file);
            command.args(["--", program, option]).arg(format!("http://{host}/"));
            let ran = run(&mut command);
            let report = fs::read_to_string(&file).expect("a report");
            let report: Value = serde_json::from_str(&report).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
            check("audit", &report);
            assert_eq!((ran.status, &report["verdict"]), (0, &json!("isolated")), "{ran:?} {report:#}");
            let connections = report["processes"][0]["connections"].as_array().expect("a list");
            let [connection] = &connections[..] else { panic!("one connection: {report:#}") };
            assert_eq!(connection["destination"], json!({"host": host, "port": 80}));
            assert!(layers.contains(&connection["layer"].as_str().expect("a word")), "{report:#}");
            let credential = connection["credential"].as_str().expect("a credential").to_owned();
            let circuits = control.circuits_of(&credential).expect("circuits");
            assert!(!circuits.is_empty(), "{program} {host}: {credential}: {:#?}", control.circuits());
            credentials.insert(credential);
        }
    }
    assert_eq!(credentials.len(), 4);
    workstation.assert_no_leaks();
}
