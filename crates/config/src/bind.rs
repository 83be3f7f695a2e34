//! Where a wrapped server is bound, `bind = "…"`.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::error::{Invalid, did_you_mean, quoted};

/// Where a wrapped server is bound that asks for loopback or every address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum BindChoice {
    /// Where it asks to be.
    #[default]
    None,
    /// To the address that a Whonix-Workstation has towards its Whonix-Gateway; elsewhere as [`Self::None`].
    Workstation,
    /// To the IPv4 address of the network interface of this name.
    Interface(String),
    /// To this address.
    Address(Ipv4Addr),
}

impl BindChoice {
    /// What a value looks like.
    pub(crate) const EXPECTED: &str = "\"none\", \"workstation\", \"interface:NAME\" or an IPv4 address";
}

const NONE: &str = "none";
const WORKSTATION: &str = "workstation";
const INTERFACE: &str = "interface:";
/// The longest name of a network interface, in bytes: `IFNAMSIZ` counts its NUL (netdevice(7)).
const LONGEST_NAME: usize = 15;

impl FromStr for BindChoice {
    type Err = Invalid;

    /// # Errors
    /// None of the words, no name that an interface can have, no IPv4 address that others can reach.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let invalid = |why: &str| Invalid::new(format!("{} {why}", quoted(text)), Self::EXPECTED);
        match text {
            NONE => return Ok(Self::None),
            WORKSTATION => return Ok(Self::Workstation),
            _ => {}
        }
        if let Some(name) = text.strip_prefix(INTERFACE) {
            return if is_interface(name) {
                Ok(Self::Interface(name.to_owned()))
            } else {
                Err(invalid("names no interface"))
            };
        }
        match text.parse::<Ipv4Addr>() {
            Ok(address) if address.is_unspecified() || address.is_multicast() || address.is_broadcast() => {
                Err(invalid("is no address of a host"))
            }
            Ok(address) if address.is_loopback() => Err(invalid("is loopback, where nobody else can connect")),
            Ok(address) => Ok(Self::Address(address)),
            Err(_) if text.trim_matches(['[', ']']).parse::<Ipv6Addr>().is_ok() => Err(invalid("is an IPv6 address")),
            Err(_) => Err(invalid(&format!("is no address{}", did_you_mean(text, &[NONE, WORKSTATION, INTERFACE])))),
        }
    }
}

/// What the kernel takes for the name of an interface.
fn is_interface(name: &str) -> bool {
    let strange = |letter: char| letter == '/' || letter == ':' || letter.is_whitespace() || letter.is_control();
    (1..=LONGEST_NAME).contains(&name.len()) && !matches!(name, "." | "..") && !name.contains(strange)
}

impl fmt::Display for BindChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str(NONE),
            Self::Workstation => f.write_str(WORKSTATION),
            Self::Interface(name) => write!(f, "{INTERFACE}{name}"),
            Self::Address(address) => write!(f, "{address}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn interfaces_have_names() {
        for name in ["eth0", "a", "wlp0s20f0u10i30", "br-lan.7", "...", "é"] {
            assert!(is_interface(name), "{name}");
        }
        for name in ["", ".", "..", "wlp0s20f0u10i300", "eth0:1", "a/b", "a b", "a\nb"] {
            assert!(!is_interface(name), "{name}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(text in "none|workstation|interface:[a-z0-9.:/ -]{0,17}|[0-9.]{1,15}|(25[0-9]\\.){3}9") {
            if let Ok(choice) = text.parse::<BindChoice>() {
                prop_assert_eq!(choice.to_string(), text);
            }
        }

        #[test]
        fn others_can_reach_every_address_that_is_taken(bits: u32) {
            let address = Ipv4Addr::from(bits);
            let reachable = !(address.is_loopback() || address.is_unspecified() || address.is_multicast() || address.is_broadcast());
            prop_assert_eq!(address.to_string().parse::<BindChoice>().is_ok(), reachable);
        }
    }
}
