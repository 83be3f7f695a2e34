//! What shares a circuit with what, how names are looked up, how a credential is written, how well it is guarded.

use crate::keyword::keyword_enum;

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

keyword_enum! {
    /// What the guard does with an internet socket that the preload did not make.
    Level {
        /// It gets one in the cage, where every connection is carried.
        Tunnel = "tunnel",
        /// It gets EACCES.
        Deny = "deny",
        /// There is no guard: only what the preload sees is carried.
        Off = "off",
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
