//! The torrc of every kind of node (see tor(1)). Intervals are the shortest a testing network accepts.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;

use super::TorOptions;
use super::keys::Authority;

/// What every node has. No node outlives the lab, not even when the lab is killed (`__OwningControllerProcess`).
fn common(data: &Path, lines: &str) -> String {
    format!(
        "TestingTorNetwork 1
DataDirectory {data}
__OwningControllerProcess {pid}
RunAsDaemon 0
Log notice stdout
SafeLogging 0
ShutdownWaitLength 0
AvoidDiskWrites 1
DisableDebuggerAttachment 0
PathsNeededToBuildCircuits 0.67
{lines}",
        data = data.display(),
        pid = std::process::id(),
    )
}

/// Only what `tor --list-fingerprint` needs.
pub(crate) fn for_keys(authority: &Authority) -> String {
    format!(
        "DataDirectory {}\nNickname {}\nORPort 127.0.0.1:{} IPv4Only\nAddress 127.0.0.1\nSocksPort 0\nExitRelay 0\n\
         AssumeReachable 1\n",
        authority.data.display(),
        authority.name,
        authority.or_port
    )
}

/// A directory authority, which also relays.
pub(crate) fn authority(authority: &Authority, bandwidths: &Path, lines: &str) -> String {
    let Authority { name, data, or_port, dir_port } = authority;
    format!(
        "{common}Nickname {name}
Address 127.0.0.1
ORPort 127.0.0.1:{or_port} IPv4Only
DirPort 127.0.0.1:{dir_port} IPv4Only
SocksPort 0
AuthoritativeDirectory 1
V3AuthoritativeDirectory 1
ContactInfo lab@invalid.test
ExitPolicy reject *:*
AssumeReachable 1
TestingV3AuthInitialVotingInterval 5
TestingV3AuthInitialVoteDelay 2
TestingV3AuthInitialDistDelay 2
V3AuthVotingInterval 10
V3AuthVoteDelay 2
V3AuthDistDelay 2
TestingDirAuthVoteExit *
TestingDirAuthVoteExitIsStrict 1
TestingDirAuthVoteGuard *
TestingDirAuthVoteGuardIsStrict 1
TestingDirAuthVoteHSDir *
TestingDirAuthVoteHSDirIsStrict 1
TestingMinExitFlagThreshold 0
V3BandwidthsFile {bandwidths}
",
        common = common(data, lines),
        bandwidths = bandwidths.display(),
    )
}

/// A relay that is an exit to everywhere, the lab's private addresses and its own host included.
pub(crate) fn relay(name: &str, data: &Path, or_port: u16, resolv: &Path, lines: &str) -> String {
    format!(
        "{common}Nickname {name}
Address 127.0.0.1
ORPort 127.0.0.1:{or_port} IPv4Only
SocksPort 0
AssumeReachable 1
ExitRelay 1
IPv6Exit 1
ExitPolicy accept *:*
ExitPolicyRejectPrivate 0
ExitPolicyRejectLocalInterfaces 0
ServerDNSResolvConfFile {resolv}
ServerDNSDetectHijacking 0
ServerDNSSearchDomains 0
ServerDNSAllowBrokenConfig 1
ServerDNSAllowNonRFC953Hostnames 1
",
        common = common(data, lines),
        resolv = resolv.display(),
    )
}

/// A client that serves one onion service.
pub(crate) fn onion(data: &Path, service: &Path, port: u16, target: SocketAddr, lines: &str) -> String {
    format!(
        "{common}SocksPort 0
UseEntryGuards 0
ControlPort unix:{control}
CookieAuthentication 1
HiddenServiceDir {service}
HiddenServicePort {port} {target}
",
        common = common(data, lines),
        control = data.join("control").display(),
        service = service.display(),
    )
}

/// The client whose `SocksPort`s the tests use.
///
/// Circuits are kept for an hour so that a test finds those of programs that have ended; Conflux (one stream over two
/// circuits) is off, so that one credential means one circuit.
pub(crate) fn client(data: &Path, socks: &[SocketAddr], options: &TorOptions, lines: &str) -> String {
    let mut text = common(data, lines);
    for address in socks {
        let _ = writeln!(text, "SocksPort {address}");
    }
    if let Some(address) = options.unisolated {
        let _ = writeln!(text, "SocksPort {address} NoIsolateSOCKSAuth");
    }
    if let Some(address) = options.transparent {
        let _ = writeln!(text, "TransPort {address}");
    }
    if let Some(address) = options.dns_port {
        let _ = writeln!(text, "DNSPort {address}\nAutomapHostsOnResolve 1");
    }
    let _ = write!(
        text,
        "SocksPolicy accept *
ControlPort unix:{control}
CookieAuthentication 1
CookieAuthFile {cookie}
ClientRejectInternalAddresses 0
ClientDNSRejectInternalAddresses 0
UseEntryGuards 0
MaxCircuitDirtiness 1 hour
CircuitsAvailableTimeout 1 hour
MaxClientCircuitsPending 1024
LearnCircuitBuildTimeout 0
CircuitBuildTimeout 10
ConfluxEnabled 0
CircuitPadding 0
",
        control = data.join("control").display(),
        cookie = data.join("control_auth_cookie").display(),
    );
    text
}
