//! What holds for one command.

use std::path::PathBuf;

use uwt_policy::{CredentialForm, DnsMode, Inbound, Scope};

use crate::entry::{Entry, Written};
use crate::{BindChoice, GatewayChoice, GuardChoice, Identity, Localhost, Native, Setting};

macro_rules! settings {
    ($($(#[$meta:meta])* $key:ident: $type:ty = $default:expr),* $(,)?) => {
        /// What holds for one command, and who said so. `Default` is what holds without any file.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Settings { $($(#[$meta])* pub $key: Setting<$type>),* }

        impl Default for Settings {
            fn default() -> Self {
                Self { $($key: Setting::built_in($default)),* }
            }
        }

        impl Settings {
            /// All of them as a file would say them, in the order of the documentation. An identity is left out where
            /// there is none.
            #[must_use]
            pub fn entries(&self) -> Vec<Entry> {
                [$(entry(stringify!($key), &self.$key)),*].into_iter().flatten().collect()
            }
        }

        /// What one table of one file says, or several put on top of each other.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub(crate) struct Layer { $(pub(crate) $key: Option<Setting<$type>>),* }

        impl Layer {
            /// Merges key by key; what `later` sets wins.
            pub(crate) fn overlay(&mut self, later: Self) {
                $(if later.$key.is_some() { self.$key = later.$key; })*
            }

            /// What is set here as a file would say it.
            pub(crate) fn entries(&self) -> Vec<Entry> {
                [$(self.$key.as_ref().and_then(|setting| entry(stringify!($key), setting))),*].into_iter().flatten().collect()
            }

            /// Writes what is set here into `settings`.
            pub(crate) fn apply(&self, settings: &mut Settings) {
                $(if let Some(setting) = &self.$key { settings.$key.clone_from(setting); })*
            }
        }
    };
}

fn entry<T: Written>(key: &'static str, setting: &Setting<T>) -> Option<Entry> {
    setting.value.written().map(|value| Entry { key, value, origin: setting.origin.clone() })
}

settings! {
    /// Whether the command is wrapped at all.
    enabled: bool = true,
    /// The SocksPort's host.
    gateway: GatewayChoice = GatewayChoice::Auto,
    /// The SocksPort.
    port: u16 = 9050,
    /// What gets a credential of its own.
    scope: Scope = Scope::Process,
    /// The identity whose credential is used; set exactly when the scope is [`Scope::Identity`].
    identity: Option<Identity> = None,
    /// How the credential is written.
    credentials: CredentialForm = CredentialForm::Plain,
    /// How well it is guarded.
    guard: GuardChoice = GuardChoice::Auto,
    /// How names are looked up.
    dns: DnsMode = DnsMode::Names,
    /// What an argument that names this machine means.
    localhost: Localhost = Localhost::Auto,
    /// Whether everything that is not wrapped goes through Tor anyway; `None`: as detected.
    transparent_proxy: Option<bool> = None,
    /// Whether connections to this machine are direct.
    allow_loopback: bool = true,
    /// Whether a Tor on this machine may be reached directly.
    local_tor: bool = true,
    /// Who may connect to a wrapped server.
    inbound: Inbound = Inbound::Loopback,
    /// Where a wrapped server is bound that asks for loopback or every address.
    bind: BindChoice = BindChoice::None,
    /// How deep wrapped commands may call each other; 0: as deep as they like.
    max_nested: u32 = 10,
    /// Seconds until a connect fails with ETIMEDOUT. Tor itself gives up after 120 (tor(1), `SocksTimeout`).
    connect_timeout: u16 = 150,
    /// Whether a connect succeeds before the gateway has answered.
    optimistic: bool = false,
    /// Whether the command sees a clock of its own, ahead of the real one.
    time_privacy: bool = false,
    /// Programs without network use that may run unprotected where they cannot be wrapped, by absolute path.
    trusted: Vec<PathBuf> = Vec::new(),
    /// The preload library; `None`: the installed one.
    preload: Option<PathBuf> = None,
    /// The command's own proxy support.
    native: Native = Native::None,
}
