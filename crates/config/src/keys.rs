//! Every key: its name, where it may stand, how it is read.

use uwt_policy::{CredentialForm, DnsMode, Inbound, Scope};

use crate::bind::BindChoice;
use crate::choice::{GatewayChoice, GuardChoice, Localhost, Native};
use crate::error::Error;
use crate::identity::{Identity, identity_name};
use crate::settings::Layer;
use crate::value::{Item, PATH, absolute_path};

/// Where a key may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Above the tables only.
    Global,
    /// In a `[command.…]` table only.
    Command,
    /// In both.
    Anywhere,
}

/// A key of the configuration.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) place: Place,
    pub(crate) read: fn(&mut Layer, &Item<'_>) -> Result<(), Error>,
}

impl Key {
    /// Whether the key may stand in the global part (`command == false`) or in a per-command table.
    pub(crate) fn fits(&self, command: bool) -> bool {
        match self.place {
            Place::Anywhere => true,
            Place::Global => !command,
            Place::Command => command,
        }
    }
}

macro_rules! keys {
    ($($key:ident, $place:ident, |$item:ident| $read:expr;)*) => {
        /// Every key, in the order it is documented.
        pub(crate) const KEYS: &[Key] = &[$(Key {
            name: stringify!($key),
            place: Place::$place,
            read: |layer, $item| {
                layer.$key = Some($read?);
                Ok(())
            },
        }),*];
    };
}

keys! {
    enabled, Anywhere, |item| item.boolean();
    gateway, Anywhere, |item| item.text("\"auto\" or an IPv4 address", str::parse::<GatewayChoice>);
    port, Anywhere, |item| item.number(&(1..=65535));
    scope, Anywhere, |item| item.word(Scope::ALL, Scope::as_str);
    identity, Anywhere, |item| item.text("a name in quotes", |text| {
        identity_name(text).map(|name| Some(Identity::Name(name.to_owned())))
    });
    credentials, Anywhere, |item| item.word(CredentialForm::ALL, CredentialForm::as_str);
    guard, Anywhere, |item| item.word(GuardChoice::ALL, GuardChoice::as_str);
    dns, Anywhere, |item| item.word(DnsMode::ALL, DnsMode::as_str);
    localhost, Anywhere, |item| item.word(Localhost::ALL, Localhost::as_str);
    transparent_proxy, Global, |item| item.boolean_or_auto();
    allow_loopback, Anywhere, |item| item.boolean();
    local_tor, Anywhere, |item| item.boolean();
    inbound, Anywhere, |item| item.word(Inbound::ALL, Inbound::as_str);
    bind, Anywhere, |item| item.text(BindChoice::EXPECTED, str::parse::<BindChoice>);
    max_nested, Global, |item| item.number(&(0..=i64::from(u32::MAX)));
    connect_timeout, Anywhere, |item| item.number(&(1..=3600));
    optimistic, Anywhere, |item| item.boolean();
    time_privacy, Anywhere, |item| item.boolean();
    trusted, Global, |item| item.paths();
    preload, Global, |item| item.text(PATH, |text| match text {
        "auto" => Ok(None),
        path => absolute_path(path).map(Some),
    });
    native, Command, |item| item.word(Native::ALL, Native::as_str);
}
