//! Which way packets of this machine go (rtnetlink(7)).

use std::io;
use std::net::Ipv4Addr;

use nix::sys::socket::SockProtocol;

use crate::netlink::{Netlink, REQUEST, message};

/// `RTM_NEWROUTE`, the answer.
const ROUTE: u16 = 24;
/// `RTM_GETROUTE`.
const ASK: u16 = 26;
/// The length of `struct rtmsg`.
const BODY: usize = 12;
/// `RTA_DST`: where to.
const TO: u16 = 1;
/// `RTA_PREFSRC`: by which address of this machine.
const FROM: u16 = 7;

/// The address that this machine has towards another one. No packet is sent, and no socket of the internet is needed, which a
/// guarded process can't have outside the cage.
///
/// # Errors
/// There is no way to it (ENETUNREACH, as a rule), or that of socket(2).
pub fn source_address(towards: Ipv4Addr) -> io::Result<Ipv4Addr> {
    let mut body = [0; BODY];
    let [family, prefix, ..] = &mut body;
    *family = u8::try_from(libc::AF_INET).unwrap_or_default();
    *prefix = 32;
    let question = message(ASK, REQUEST, &body, &[(TO, &towards.octets())]);
    Netlink::new(SockProtocol::NetlinkRoute)?.ask(&question, ROUTE, source)
}

fn source(answer: &[u8]) -> Option<Ipv4Addr> {
    let mut rest = answer.get(BODY..)?;
    loop {
        let len = usize::from(u16::from_ne_bytes(*rest.first_chunk()?));
        let kind = u16::from_ne_bytes(*rest.get(2..)?.first_chunk()?);
        let value = rest.get(4..len)?;
        if kind == FROM {
            return value.first_chunk().copied().map(<[u8; 4]>::into);
        }
        // It ends: one that is shorter than its own head had no value above.
        rest = rest.get(len.next_multiple_of(4)..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn towards_this_machine_it_is_itself() {
        for octet in [1, 9] {
            let address = Ipv4Addr::new(127, 0, 0, octet);
            assert_eq!(source_address(address).unwrap(), Ipv4Addr::LOCALHOST);
        }
    }

    #[test]
    fn the_source_is_one_attribute_of_several() {
        let attribute = |kind: u16, value: &[u8]| {
            let len = u16::try_from(value.len() + 4).unwrap();
            let mut bytes = [len.to_ne_bytes(), kind.to_ne_bytes()].concat();
            bytes.extend(value);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
            bytes
        };
        let all = [vec![0; BODY], attribute(TO, &[10, 0, 0, 1]), attribute(15, &[1]), attribute(FROM, &[10, 0, 0, 2])];
        assert_eq!(source(&all.concat()), Some(Ipv4Addr::new(10, 0, 0, 2)));
        assert_eq!(source(&all[..3].concat()), None);
        assert_eq!(source(&[vec![0; BODY], attribute(FROM, &[10])].concat()), None);
    }

    proptest::proptest! {
        #[test]
        fn no_answer_is_too_strange(bytes: Vec<u8>) {
            let _ = source(&bytes);
        }
    }
}
