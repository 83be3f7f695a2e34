//! The ways to run a program that are compared.

use std::ffi::OsString;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::prereq::find_program;
use crate::workspace::output;

/// Names of variants, as the tables and the figures use them.
pub(crate) const BARE: &str = "bare";
pub(crate) const PRELOAD_ONLY: &str = "preload only";
pub(crate) const UWT_OFF: &str = "uwt off";
pub(crate) const UWT_DENY: &str = "uwt deny";
pub(crate) const UWT_TUNNEL: &str = "uwt tunnel";
/// Tunnel, and what the program sends goes out before the gateway has answered.
pub(crate) const OPTIMISTIC: &str = "uwt tunnel, optimistic";
/// Tunnel, and it does not, whatever this machine's configuration says about the program.
pub(crate) const PATIENT: &str = "uwt tunnel, not optimistic";
pub(crate) const TORSOCKS: &str = "torsocks";
pub(crate) const PROXYCHAINS: &str = "proxychains4";

/// One way to run a program.
#[derive(Clone, Debug)]
pub(crate) struct Variant {
    pub(crate) name: &'static str,
    /// What stands before the program: absolute path first.
    prefix: Vec<OsString>,
    /// The whole environment.
    pub(crate) environment: Vec<(OsString, OsString)>,
    /// What the file name of the library contains that the variant maps into the program.
    pub(crate) library: Option<&'static str>,
}

impl Variant {
    /// The program under this variant, arguments to be added.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut words = self.prefix.iter().map(OsString::as_os_str).chain([program.as_os_str()]);
        let mut command = Command::new(words.next().unwrap_or(program.as_os_str()));
        command.args(words).env_clear().envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// All variants, pointed at one gateway.
#[derive(Debug)]
pub(crate) struct Setup {
    /// Those that differ for every program.
    pub(crate) variants: Vec<Variant>,
    /// Those that differ in how long a connection takes only.
    connecting_only: Vec<Variant>,
    /// The gateway.
    pub(crate) gateway: SocketAddr,
    /// Holds the peers' configuration and stands in for the home directory.
    _directory: TempDir,
}

impl Setup {
    /// Writes the peers' configuration; all of them authenticate to the gateway, as uwt does.
    pub(crate) fn new(uwt: &Path, gateway: SocketAddr) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("uwt-bench-").tempdir().context("a temporary directory")?;
        let home = directory.path();
        let base = base_environment(home);

        let uwt_words = |guard: &str| -> Vec<OsString> {
            let (ip, port) = (gateway.ip().to_string(), gateway.port().to_string());
            vec![uwt.into(), guard.into(), "-i".into(), ip.into(), "-p".into(), port.into()]
        };
        let unguarded = uwt_words("--guard=off");
        let torsocks_conf = written(&home.join("torsocks.conf"), &torsocks_conf(gateway))?;
        let proxychains_conf = written(&home.join("proxychains.conf"), &proxychains_conf(gateway))?;
        let configured = |name: &str, optimistic| -> Result<Vec<(OsString, OsString)>> {
            let folder = home.join(name);
            fs::create_dir(&folder).with_context(|| format!("{}", folder.display()))?;
            written(&folder.join("50_bench.toml"), &configuration(optimistic))?;
            Ok([base.clone(), vec![("UWT_CONFIG_PATH".into(), folder.into())]].concat())
        };
        let (optimistic, patient) = (configured("optimistic", true)?, configured("patient", false)?);
        let mut torsocks_environment = base.clone();
        torsocks_environment.push(("TORSOCKS_CONF_FILE".into(), torsocks_conf.into()));

        let variant = |name, prefix, environment, library| Variant { name, prefix, environment, library };
        let tunnel = uwt_words("--guard=tunnel");
        let library = Some("libuwt_preload");
        let connecting_only = vec![
            variant(OPTIMISTIC, tunnel.clone(), optimistic, library),
            variant(PATIENT, tunnel.clone(), patient, library),
        ];
        let variants = vec![
            variant(BARE, Vec::new(), base.clone(), None),
            variant(PRELOAD_ONLY, Vec::new(), handed_down(&unguarded, &base)?, library),
            variant(UWT_OFF, unguarded, base.clone(), library),
            variant(UWT_DENY, uwt_words("--guard=deny"), base.clone(), library),
            variant(UWT_TUNNEL, tunnel, base.clone(), library),
            variant(TORSOCKS, vec![installed("torsocks")?.into()], torsocks_environment, Some("libtorsocks")),
            variant(
                PROXYCHAINS,
                vec![installed("proxychains4")?.into(), "-q".into(), "-f".into(), proxychains_conf.into()],
                base,
                Some("libproxychains"),
            ),
        ];
        Ok(Self { variants, connecting_only, gateway, _directory: directory })
    }

    /// The variant of this name.
    pub(crate) fn variant(&self, name: &str) -> Result<&Variant> {
        let mut all = self.variants.iter().chain(&self.connecting_only);
        all.find(|variant| variant.name == name).with_context(|| format!("no variant {name}"))
    }
}

/// Little enough that the caller's settings decide nothing.
fn base_environment(home: &Path) -> Vec<(OsString, OsString)> {
    vec![
        ("PATH".into(), "/usr/local/bin:/usr/bin:/bin".into()),
        ("HOME".into(), home.into()),
        ("LC_ALL".into(), "C".into()),
    ]
}

/// What uwt hands down to a program, to set by hand.
fn handed_down(uwt: &[OsString], base: &[(OsString, OsString)]) -> Result<Vec<(OsString, OsString)>> {
    let (program, options) = uwt.split_first().context("uwt has a path")?;
    let mut command = Command::new(program);
    command.args(options).args(["/usr/bin/env", "-0"]).env_clear();
    command.envs(base.iter().map(|(name, value)| (name, value)));
    let environment = parse_environment(&output(&mut command)?);
    ensure!(
        environment.iter().any(|(name, _)| name == "LD_PRELOAD"),
        "`uwt env -0` shows no LD_PRELOAD: there is nothing to measure"
    );
    Ok(environment)
}

fn parse_environment(listing: &[u8]) -> Vec<(OsString, OsString)> {
    listing
        .split(|byte| *byte == 0)
        .filter_map(|entry| {
            let equals = entry.iter().position(|byte| *byte == b'=')?;
            let part = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
            Some((part(&entry[..equals]), part(&entry[equals + 1..])))
        })
        .collect()
}

/// A program that the packages of this task bring.
pub(super) fn installed(name: &str) -> Result<PathBuf> {
    find_program(name).with_context(|| format!("{name} is not there"))
}

fn written(path: &Path, text: &str) -> Result<PathBuf> {
    fs::write(path, text).with_context(|| format!("{}", path.display()))?;
    Ok(path.to_owned())
}

/// For each program that is measured by it.
fn configuration(optimistic: bool) -> String {
    let command = |name| format!("[command.{name}]\noptimistic = {optimistic}\n");
    ["bench-probe", "bench-probe-static", "curl"].map(command).concat()
}

fn torsocks_conf(gateway: SocketAddr) -> String {
    format!("TorAddress {}\nTorPort {}\nIsolatePID 1\n", gateway.ip(), gateway.port())
}

fn proxychains_conf(gateway: SocketAddr) -> String {
    format!(
        "strict_chain\nproxy_dns\nremote_dns_subnet 224\ntcp_read_time_out 15000\ntcp_connect_time_out 8000\n\
         [ProxyList]\nsocks5 {} {} bench 0\n",
        gateway.ip(),
        gateway.port()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_is_read_as_env_prints_it() {
        let found = parse_environment(b"A=1\0B=x=y\n z\0C=\0");
        let expected = [("A", "1"), ("B", "x=y\n z"), ("C", "")];
        assert_eq!(found, expected.map(|(name, value)| (OsString::from(name), OsString::from(value))));
    }

    #[test]
    fn a_variant_puts_its_words_first() {
        let variant = Variant {
            name: TORSOCKS,
            prefix: vec!["/usr/bin/torsocks".into(), "-q".into()],
            environment: vec![("A".into(), "1".into())],
            library: None,
        };
        let command = variant.command(Path::new("/bin/true"));
        assert_eq!(command.get_program(), "/usr/bin/torsocks");
        assert_eq!(command.get_args().collect::<Vec<_>>(), ["-q", "/bin/true"]);
        let bare = Variant { prefix: Vec::new(), ..variant };
        assert_eq!(bare.command(Path::new("/bin/true")).get_program(), "/bin/true");
    }
}
