//! What gets through a gateway whose firewall has the lines of `uwtctl gateway firewall`.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::Command;
use std::time::Duration;

use support::netns::{GATEWAY_V4, Namespaces, SOCKS_PORT, Workstation};

use crate::place::{Place, run};
use crate::program::ran;

/// Set for a command, so the lines have to open it.
const OWN: u16 = 9400;
/// A port of the gateway that is nobody's SocksPort.
const OTHER: u16 = 9999;
const TRANS_PORT: u16 = 9040;
const DNS_PORT: u16 = 5300;
/// Someone on the Internet, whom the gateway does not know.
const FAR: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 7);
/// Until something counts as dropped. What gets through does so in less than a millisecond.
const DROPPED: Duration = Duration::from_millis(300);

/// What is there before: nobody gets in but by a redirection, as behind many firewalls.
const CLOSED: &str = "\
table inet filter {
    chain input {
        type filter hook input priority filter; policy drop;
        ct state established,related accept
        ct status dnat accept
        iif \"lo\" accept
    }
}
";

/// What came of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Got {
    Through,
    Refused,
    Dropped,
}

/// A gateway with its ports open to nobody and transparent proxying on, and a workstation.
struct Site {
    namespaces: Namespaces,
    dns: UdpSocket,
    _listeners: Vec<TcpListener>,
}

impl Site {
    fn new() -> Self {
        let namespaces = Namespaces::create().expect("namespaces");
        let listen = |port| Ok(TcpListener::bind((GATEWAY_V4, port))?);
        let ports = [SOCKS_PORT, OWN, OTHER, TRANS_PORT];
        let listeners =
            namespaces.gateway().run(|| ports.into_iter().map(listen).collect()).expect("listeners on the gateway");
        let dns = namespaces.gateway().run(|| Ok(UdpSocket::bind((GATEWAY_V4, DNS_PORT))?)).expect("a DnsPort");
        dns.set_read_timeout(Some(DROPPED)).expect("set");
        let site = Self { namespaces, dns, _listeners: listeners };
        // They are for the gateway itself, whatever becomes of them there.
        for port in [OWN, OTHER] {
            site.workstation().allow_gateway_port(port).expect("allowed");
        }
        site.workstation().transparent(TRANS_PORT, DNS_PORT).expect("transparent proxying");
        site.load(CLOSED);
        site
    }

    fn workstation(&self) -> &Workstation {
        self.namespaces.workstation()
    }

    /// Loads rules on the gateway, as its administrator does.
    #[track_caller]
    fn load(&self, rules: &str) {
        let place = Place::new();
        let file = place.file("rules.nft", rules);
        run(self.namespaces.gateway().command("nft").arg("--file").arg(file)).succeeded();
    }

    /// Connects from the workstation.
    fn tcp(&self, address: Ipv4Addr, port: u16) -> Got {
        let connect = || match TcpStream::connect_timeout(&SocketAddr::from((address, port)), DROPPED) {
            Ok(_) => Ok(Got::Through),
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(Got::Refused),
            Err(error) if error.kind() == ErrorKind::TimedOut => Ok(Got::Dropped),
            Err(error) => Err(error.into()),
        };
        self.workstation().netns().run(connect).expect("an outcome that is known")
    }

    /// Asks a name server from the workstation; `Through` is when the gateway's `DnsPort` gets it.
    fn dns(&self, server: Ipv4Addr) -> Got {
        let ask = || {
            let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
            socket.connect((server, 53))?;
            socket.send(b"a question")?;
            Ok(socket)
        };
        let socket = self.workstation().netns().run(ask).expect("sent");
        let mut question = [0; 64];
        if self.dns.recv(&mut question).is_ok() {
            return Got::Through;
        }
        // A port that is unreachable, as ICMP says, is an error of the socket.
        match socket.take_error().expect("asked") {
            Some(error) if error.kind() == ErrorKind::ConnectionRefused => Got::Refused,
            Some(error) => panic!("{error}"),
            None => Got::Dropped,
        }
    }

    /// The `SocksPorts` answer; what else gets through is up to transparent proxying.
    #[track_caller]
    fn assert_only_socks_ports(&self, own: Got) {
        assert_eq!((self.tcp(GATEWAY_V4, SOCKS_PORT), self.tcp(GATEWAY_V4, OWN)), (Got::Through, own));
        assert_eq!(self.tcp(GATEWAY_V4, OTHER), Got::Dropped);
    }

    /// All the ways past the `SocksPorts`.
    fn others(&self) -> [Got; 5] {
        [self.tcp(FAR, 80), self.tcp(FAR, 53), self.dns(FAR), self.dns(GATEWAY_V4), self.tcp(GATEWAY_V4, 53)]
    }
}

/// The lines for this gateway.
fn lines(words: &[&str]) -> String {
    let place = Place::new();
    place.configure(&format!("gateway = \"{GATEWAY_V4}\"\n[command.ssh]\nport = {OWN}\n"));
    ran(&place, &[&["gateway", "firewall", "--for"], words].concat()).succeeded().to_owned()
}

#[test]
fn debian_lets_socks_ports_through_and_nothing_else_if_asked_to() {
    let site = Site::new();
    assert_eq!(site.tcp(GATEWAY_V4, SOCKS_PORT), Got::Dropped, "closed as long as nothing opens it");
    site.load(&lines(&["debian"]));
    site.assert_only_socks_ports(Got::Through);
    assert_eq!(site.others(), [Got::Through; 5], "transparent proxying stays as it is");

    site.load(&lines(&["debian", "--no-transparent"]));
    site.assert_only_socks_ports(Got::Through);
    assert_eq!(site.others(), [Got::Refused; 5]);
    // The gateway itself is not meant.
    let itself = || Ok(TcpStream::connect_timeout(&SocketAddr::from((GATEWAY_V4, OTHER)), DROPPED)?);
    site.namespaces.gateway().run(itself).expect("connects to itself");
}

/// Reads lines as `whonix_firewall` does, with a shell; gives the open ports, and whether TCP and DNS are taken to Tor.
fn whonix(lines: &str) -> (String, [bool; 2]) {
    let place = Place::new();
    let file = place.file("50_user.conf", lines);
    let script = "INTERNAL_OPEN_PORTS=; WORKSTATION_TRANSPARENT_TCP=1; WORKSTATION_TRANSPARENT_DNS=1; . \"$1\"\n\
        echo \"$INTERNAL_OPEN_PORTS;$WORKSTATION_TRANSPARENT_TCP;$WORKSTATION_TRANSPARENT_DNS\"";
    let read = run(Command::new("bash").args(["-euc", script, "bash"]).arg(file));
    let mut said = read.succeeded().trim_end().split(';');
    let ports = said.next().expect("ports").split_whitespace().collect::<Vec<_>>().join(", ");
    let mut is_on = || said.next() == Some("1");
    (ports, [is_on(), is_on()])
}

/// Whonix's own firewall is not here: what its variables stand for is made of nft rules.
#[test]
fn what_whonix_is_told_opens_a_port_and_ends_transparent_proxying() {
    let site = Site::new();
    site.load(&format!("add rule inet filter input tcp dport {SOCKS_PORT} accept\n"));
    site.assert_only_socks_ports(Got::Dropped);
    for (words, transparent) in [(&["whonix"][..], true), (&["whonix", "--no-transparent"], false)] {
        let (ports, taken) = whonix(&lines(words));
        assert_eq!(taken, [transparent; 2]);
        site.load(&format!("add rule inet filter input tcp dport {{ {ports} }} accept\n"));
        if !transparent {
            site.workstation().direct().expect("no redirection");
        }
        site.assert_only_socks_ports(Got::Through);
        assert_eq!(site.others(), [if transparent { Got::Through } else { Got::Dropped }; 5], "{words:?}");
    }
}
