//! The choices that only the launcher makes; those of the running programs are in `uwt_policy`.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::error::{Invalid, did_you_mean, quoted};

/// Where the SocksPort is, `gateway = "…"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GatewayChoice {
    /// As [`detect`](crate::detect) finds out.
    Auto,
    /// This address.
    Address(Ipv4Addr),
}

impl FromStr for GatewayChoice {
    type Err = Invalid;

    /// # Errors
    /// Neither `auto` nor the IPv4 address of one host.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        let invalid = |why: &str| Invalid::new(format!("{} {why}", quoted(text)), "\"auto\" or an IPv4 address");
        match text.parse::<Ipv4Addr>() {
            // 0.0.0.0 connects to this machine: nobody means that.
            Ok(address) if address.is_unspecified() || address.is_multicast() || address.is_broadcast() => {
                Err(invalid("is no address of a host"))
            }
            Ok(address) => Ok(Self::Address(address)),
            Err(_) if text.starts_with("unix:") => Err(invalid("is a unix socket, which is not carried")),
            Err(_) if text.trim_matches(['[', ']']).parse::<Ipv6Addr>().is_ok() => {
                Err(invalid("is an IPv6 address, which is not carried"))
            }
            Err(_) if text.split_once(':').is_some_and(|(host, _)| host.parse::<Ipv4Addr>().is_ok()) => {
                Err(invalid("has a port, which is a key of its own"))
            }
            Err(_) => Err(invalid(&format!("is no address{}", did_you_mean(text, &["auto"])))),
        }
    }
}

impl fmt::Display for GatewayChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.pad("auto"),
            Self::Address(address) => fmt::Display::fmt(address, f),
        }
    }
}

macro_rules! choice {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$vmeta])* $variant),* }

        impl $name {
            /// Every value, in the order it is documented.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word used in configuration files and on the command line.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }
        }

        impl FromStr for $name {
            type Err = Invalid;

            /// # Errors
            /// The word is none of [`Self::ALL`].
            fn from_str(text: &str) -> Result<Self, Invalid> {
                match text {
                    $($text => Ok(Self::$variant),)*
                    _ => Err(Invalid::unknown(text, &[$($text),*])),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.pad(self.as_str()) }
        }
    };
}

choice! {
    /// What an argument that names this machine (`localhost`, `127.0.0.1`, `::1`) means for a command.
    Localhost {
        /// As `passthrough` behind a transparently torifying gateway, as `loopback` elsewhere.
        Auto = "auto",
        /// The command runs without uwt.
        Passthrough = "passthrough",
        /// The command stays wrapped, only its loopback connections are direct.
        Loopback = "loopback",
    }
}

choice! {
    /// How well the command is guarded against what does not go through the preload library; see `uwt_policy::Level`.
    GuardChoice {
        /// The best of `tunnel` and `deny` that this machine allows.
        Auto = "auto",
        /// What the preload library does not see is carried all the same.
        Tunnel = "tunnel",
        /// What the preload library does not see is refused.
        Deny = "deny",
        /// There is no guard.
        Off = "off",
    }
}

choice! {
    /// The command's own proxy support, used on top of ours.
    Native {
        /// Not used.
        None = "none",
        /// `ALL_PROXY=socks5h://…` with the process's credential is set and `NO_PROXY` is cleared. For clients that
        /// refuse .onion names on their own unless they know of a proxy, as curl does from 8.1 on.
        AllProxy = "all_proxy",
    }
}
