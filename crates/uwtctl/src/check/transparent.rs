//! Whether what programs without uwt send gets out.
//!
//! That nothing does is said only if the same thing works through Tor at that time: otherwise a network that is down, or a
//! Tor, would look like a gateway that keeps it back.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::finding::{Finding, Outcome};
use super::through::SocksPort;
use super::unwrapped::{Answered, Fate, Lookup, connect};

/// The port of web servers that browsers ask first.
const HTTPS: u16 = 443;

/// Where we are, and what is asked for.
#[derive(Clone, Debug)]
pub(super) struct Setting<'a> {
    /// Whether unwrapped traffic is known to go through Tor.
    pub(super) behind_tor: bool,
    pub(super) socks: SocksPort,
    pub(super) host: &'a str,
    /// `--address`.
    pub(super) address: Option<SocketAddr>,
}

/// What is sent, for the warning before.
pub(super) fn warning(what: &str, behind_tor: bool) -> String {
    let reader = if behind_tor { "to the gateway" } else { "for everybody on the way to see" };
    format!("sends without uwt, {reader}: {what}")
}

const DNS: &str = "no name server can be reached without uwt";
const TCP: &str = "no TCP connection can be made without uwt";
const BOTH: &str = "without uwt a browser can neither look up a name nor load a page";

/// What to do where it is not as it should be.
fn advice(setting: &Setting<'_>) -> Vec<String> {
    if setting.behind_tor {
        return vec![
            "on the gateway: `uwtctl gateway firewall --no-transparent` prints the firewall's lines and `uwtctl gateway \
             torrc --no-transparent` Tor's; reload both, then check again"
                .to_owned(),
            "afterwards only programs on a SocksPort have a network: those under uwt, and those with proxy settings"
                .to_owned(),
        ];
    }
    vec![
        "run programs with uwt: `uwtctl wrapper add NAME` wraps one for good".to_owned(),
        "only a gateway between this machine and the network (Whonix-Gateway) keeps back what is not under uwt"
            .to_owned(),
    ]
}

/// An outcome, what it means and what to do.
type Verdict = (Outcome, String, Vec<String>);

fn finding(
    check: &'static str,
    expected: &'static str,
    seen: Vec<String>,
    (outcome, meaning, advice): Verdict,
) -> Finding {
    Finding { check, outcome, expected, seen, meaning, advice, processes: Vec::new() }
}

/// `transparent-dns`.
pub(super) fn dns(setting: &Setting<'_>, lookups: &[Lookup]) -> Finding {
    let mut seen = facts(setting.host, lookups);
    let verdict = if answered(lookups).is_some() {
        let local = lookups.iter().any(|it| it.server.is_loopback() && matches!(it.fate, Fate::Arrived(_)));
        let meaning = if setting.behind_tor {
            "Lookups without uwt reach the gateway's DnsPort. All of them, whatever program asks, share circuits there, so \
             that they can be linked to each other."
        } else {
            "Lookups without uwt go out in clear text: whoever runs your name server (your provider, as a rule) and \
             everybody on the way can read which names you look up."
        };
        let local = if local {
            " A program on this machine answers them; whom it asks is in its own configuration."
        } else {
            ""
        };
        (Outcome::Bad, format!("{meaning}{local}"), advice(setting))
    } else {
        let good = "Lookups without uwt do not get out.";
        blocked(lookups.iter().map(|it| &it.fate)).unwrap_or_else(|| silent(setting, &mut seen, good, lookup_works))
    };
    finding("transparent-dns", DNS, seen, verdict)
}

/// `transparent-tcp`. `to` is where to, or why that is not known.
pub(super) fn tcp(setting: &Setting<'_>, to: Result<SocketAddr, String>, patience: Duration) -> Finding {
    let finding = |seen, verdict| finding("transparent-tcp", TCP, seen, verdict);
    let to = match to {
        Ok(to) => to,
        Err(why) => {
            let meaning =
                format!("It is not known where to connect to: the address of {} cannot be had.", setting.host);
            let advice = vec!["give an address that answers with --address IP[:PORT]".to_owned()];
            return finding(vec![format!("through Tor: {why}")], (Outcome::Unknown, meaning, advice));
        }
    };
    let fate = connect(to, patience);
    let mut seen = vec![format!("{to}: {fate}")];
    let verdict = if let Fate::Arrived(_) = fate {
        let meaning = if setting.behind_tor {
            "TCP without uwt goes out through the gateway's TransPort. All programs of this machine share circuits there, \
             so that what they do can be linked."
        } else {
            "TCP without uwt goes out directly: the other side, and everybody on the way, sees where you are."
        };
        (Outcome::Bad, meaning.to_owned(), advice(setting))
    } else {
        let good = "TCP without uwt does not get out.";
        blocked([&fate].into_iter())
            .unwrap_or_else(|| silent(setting, &mut seen, good, |setting| connect_works(setting, to)))
    };
    finding(seen, verdict)
}

/// `transparent-proxy`: a lookup, and a connection to what it says.
pub(super) fn proxy(setting: &Setting<'_>, lookups: &[Lookup], patience: Duration) -> Finding {
    let mut seen = facts(setting.host, lookups);
    let verdict = if let Some(answer) = answered(lookups) {
        let port = setting.address.map_or(HTTPS, |address| address.port());
        let to = answer.address.map(|address| SocketAddr::new(address, port));
        let fate = to.map(|to| (to, connect(to, patience)));
        let meaning = if let Some((_, Fate::Arrived(_))) = fate {
            "A browser without uwt looks up names and loads pages."
        } else {
            "A browser without uwt cannot load the page, but its lookups get out."
        };
        seen.extend(fate.map(|(to, fate)| format!("{to}: {fate}")));
        (Outcome::Bad, meaning.to_owned(), advice(setting))
    } else {
        let good = "A browser without uwt cannot even look up the name.";
        blocked(lookups.iter().map(|it| &it.fate)).unwrap_or_else(|| silent(setting, &mut seen, good, lookup_works))
    };
    finding("transparent-proxy", BOTH, seen, verdict)
}

/// A check that was not made, because it would show to others what is done here.
pub(super) fn unprotected(check: &'static str, why: &str) -> Finding {
    let expected = match check {
        "transparent-dns" => DNS,
        "transparent-tcp" => TCP,
        _ => BOTH,
    };
    Finding {
        check,
        outcome: Outcome::Unknown,
        expected,
        seen: vec![format!("nothing was sent: {why}")],
        meaning:
            "Nothing says that a gateway carries what programs without uwt send. This check would send a lookup in \
                  clear text, or connect directly, where everybody on the way can see it."
                .to_owned(),
        advice: vec![
            "behind a gateway that carries everything through Tor: set transparent_proxy = true (uwt.d(5))".to_owned(),
            "to send it all the same: --send-unprotected".to_owned(),
        ],
        processes: Vec::new(),
    }
}

/// Nothing was answered: is that because it is kept back?
fn silent(
    setting: &Setting<'_>,
    seen: &mut Vec<String>,
    good: &str,
    through: impl FnOnce(&Setting<'_>) -> Result<String, String>,
) -> Verdict {
    match through(setting) {
        Ok(fact) => {
            seen.push(format!("through Tor: {fact}"));
            (Outcome::Good, good.to_owned(), Vec::new())
        }
        Err(why) => {
            seen.push(format!("through Tor: {why}"));
            let meaning =
                "It does not work through Tor either, so that it may be kept back, or fail for another reason.";
            let advice =
                vec!["check again when Tor's SocksPort answers (`uwtctl status`), or with another --host".to_owned()];
            (Outcome::Unknown, meaning.to_owned(), advice)
        }
    }
}

fn lookup_works(setting: &Setting<'_>) -> Result<String, String> {
    setting.socks.resolve(setting.host).map(|address| format!("{} is {address}", setting.host))
}

fn connect_works(setting: &Setting<'_>, to: SocketAddr) -> Result<String, String> {
    setting.socks.connect(to).map(|()| format!("{to}: connected"))
}

/// The first answer, one with an address before others.
fn answered(lookups: &[Lookup]) -> Option<&Answered> {
    let answers = || {
        lookups.iter().filter_map(|lookup| match &lookup.fate {
            Fate::Arrived(answer) => Some(answer),
            _ => None,
        })
    };
    answers().find(|answer| answer.address.is_some()).or_else(|| answers().next())
}

fn facts(host: &str, lookups: &[Lookup]) -> Vec<String> {
    lookups.iter().map(|Lookup { server, fate }| format!("name server {server}, asked for {host}: {fate}")).collect()
}

/// Why what was not answered says nothing, if it does not.
fn blocked<'a, T: 'a>(mut fates: impl Iterator<Item = &'a Fate<T>>) -> Option<Verdict> {
    let why = fates.find_map(|fate| match fate {
        Fate::Blocked(_) => Some(
            "This machine itself did not let it out (a firewall or a sandbox, such as a tree that runs under uwt). What the \
             gateway would do cannot be told.",
        ),
        Fate::Taken(_) => {
            Some("A program on this machine took the lookup and failed. Whether it asked somebody else cannot be told.")
        }
        Fate::Arrived(_) | Fate::Stopped(_) => None,
    });
    why.map(|why| (Outcome::Unknown, why.to_owned(), Vec::new()))
}

/// The address that `--address` names; port 443 where it names none.
pub(super) fn address(text: &str) -> Option<SocketAddr> {
    let host = text.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(text);
    text.parse().ok().or_else(|| host.parse::<IpAddr>().ok().map(|host| SocketAddr::new(host, HTTPS)))
}

/// Where to connect to when nobody says it.
pub(super) fn default_address(setting: &Setting<'_>) -> Result<SocketAddr, String> {
    setting.socks.resolve(setting.host).map(|address| SocketAddr::new(address, HTTPS))
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddrV4};

    use super::*;

    fn setting(behind_tor: bool) -> Setting<'static> {
        // Nobody listens on port 0.
        let socks = SocksPort { address: SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0), patience: Duration::from_secs(1) };
        Setting { behind_tor, socks, host: "a.test", address: None }
    }

    fn lookups(fate: Fate<Answered>) -> Vec<Lookup> {
        vec![Lookup { server: Ipv4Addr::new(192, 0, 2, 1).into(), fate }]
    }

    #[test]
    fn silence_is_good_only_if_tor_answers() {
        let finding = dns(&setting(true), &lookups(Fate::Stopped("no answer".into())));
        assert_eq!(finding.outcome, Outcome::Unknown, "{finding:?}");
        assert!(finding.seen[1].starts_with("through Tor: the SocksPort"), "{finding:?}");
        let mut seen = Vec::new();
        let (outcome, ..) = silent(&setting(true), &mut seen, "good", |_| Ok("a.test is 192.0.2.7".to_owned()));
        assert_eq!((outcome, seen), (Outcome::Good, vec!["through Tor: a.test is 192.0.2.7".to_owned()]));
    }

    #[test]
    fn what_is_blocked_here_or_taken_here_is_unknown() {
        for fate in [Fate::Blocked("denied".into()), Fate::Taken("fails".into())] {
            for finding in [
                dns(&setting(true), &lookups(fate.clone())),
                proxy(&setting(true), &lookups(fate.clone()), Duration::from_secs(1)),
            ] {
                assert_eq!((finding.outcome, finding.seen.len()), (Outcome::Unknown, 1), "{finding:?}");
            }
        }
    }

    #[test]
    fn addresses() {
        let shown = |text| address(text).map(|address| address.to_string());
        assert_eq!(shown("192.0.2.1").as_deref(), Some("192.0.2.1:443"));
        assert_eq!(shown("192.0.2.1:80").as_deref(), Some("192.0.2.1:80"));
        assert_eq!(shown("2001:db8::1").as_deref(), Some("[2001:db8::1]:443"));
        assert_eq!(shown("[2001:db8::1]").as_deref(), Some("[2001:db8::1]:443"));
        assert_eq!(shown("[2001:db8::1]:80").as_deref(), Some("[2001:db8::1]:80"));
        for bad in ["", "a.test", "a.test:80", "192.0.2.1:x"] {
            assert_eq!(shown(bad), None, "{bad}");
        }
    }
}
