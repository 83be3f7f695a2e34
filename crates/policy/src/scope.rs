//! What shares a circuit with what, how names are looked up, how a credential is written.

use core::fmt;
use core::str::FromStr;

macro_rules! keyword_enum {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$vmeta])* $variant),* }

        impl $name {
            /// Every value, in the order it is documented.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word used in configuration files, on the command line and in the session variable.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }
        }

        impl FromStr for $name {
            type Err = ();

            /// # Errors
            /// The word is none of [`Self::ALL`].
            fn from_str(text: &str) -> Result<Self, ()> {
                // Not a `match`, which would be code for each word.
                let index = crate::scope::position(concat!($($text, " "),*), text).ok_or(())?;
                Self::ALL.get(index).copied().ok_or(())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.pad(self.as_str()) }
        }
    };
}

/// Which of the words in `list`, each followed by a space, `word` is.
#[inline(never)]
pub(crate) fn position(list: &str, word: &str) -> Option<usize> {
    list.as_bytes().split(|byte| *byte == b' ').position(|entry| entry == word.as_bytes()).filter(|_| !word.is_empty())
}

keyword_enum! {
    /// Isolation scope: which connections get the same SOCKS credential, and so may share a Tor circuit.
    Scope {
        /// One credential per process (pid and start time); kept across exec, new after fork.
        Process = "process",
        /// One credential for everything started by one call of `uwt`.
        Invocation = "invocation",
        /// One credential per program path, the same in every call of this user until reboot.
        Command = "command",
        /// One credential per process and destination host.
        Destination = "destination",
        /// One credential per name the user gave, the same in every call of this user until reboot.
        Identity = "identity",
        /// No credential: shares circuits with every other client that sends none.
        None = "none",
    }
}

keyword_enum! {
    /// How host names are looked up.
    DnsMode {
        /// A reserved address stands for the name, connect sends the name itself to the gateway.
        Names = "names",
        /// Tor's RESOLVE and RESOLVE_PTR give real addresses.
        Resolve = "resolve",
    }
}

keyword_enum! {
    /// How a credential is written into RFC 1929's two fields.
    CredentialForm {
        /// Username `uwt-TOKEN`, password `0`: understood by every Tor.
        Plain = "plain",
        /// Username `<torS0X>0`, password TOKEN: Tor 0.4.9 and Arti (socks-extensions, "extended authentication").
        Extended = "extended",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back() {
        for scope in Scope::ALL {
            assert_eq!(scope.as_str().parse(), Ok(*scope));
        }
        for mode in DnsMode::ALL {
            assert_eq!(mode.as_str().parse(), Ok(*mode));
        }
        for form in CredentialForm::ALL {
            assert_eq!(form.as_str().parse(), Ok(*form));
        }
        assert_eq!("Process".parse::<Scope>(), Err(()));
    }
}
