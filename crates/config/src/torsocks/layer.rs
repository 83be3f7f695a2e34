//! What torsocks' words mean here.

use std::fmt;

use uwt_policy::Scope;

use super::{Loopback, Torsocks};
use crate::choice::GatewayChoice;
use crate::error::Invalid;
use crate::identity::{Identity, Pair};
use crate::origin::Setting;
use crate::settings::{Layer, Settings};

impl Torsocks {
    /// Writes what is said here into `settings`.
    ///
    /// # Errors
    /// A username comes without a password or the other way round, or both with IsolatePID.
    pub fn apply(&self, settings: &mut Settings) -> Result<(), Invalid> {
        self.layer()?.apply(settings);
        Ok(())
    }

    pub(crate) fn layer(&self) -> Result<Layer, Invalid> {
        let mut layer = Layer {
            gateway: self.address.as_ref().map(|it| with(it, GatewayChoice::Address(it.value))),
            port: self.port.clone(),
            inbound: self.inbound.clone(),
            allow_loopback: self.loopback.as_ref().map(|it| with(it, it.value != Loopback::Refused)),
            ..Layer::default()
        };
        let isolate = self.isolate.as_ref().filter(|it| it.value);
        match (self.pair()?, isolate) {
            (None, None) => {}
            (None, Some(isolate)) => {
                layer.scope = Some(with(isolate, Scope::Process));
                layer.identity = Some(with(isolate, None));
            }
            (Some(pair), None) => {
                layer.scope = Some(with(&pair, Scope::Identity));
                layer.identity = Some(with(&pair, Some(Identity::Pair(pair.value.clone()))));
            }
            (Some(pair), Some(isolate)) => {
                return Err(Invalid::new(
                    format!("a username and a password ({}) contradict IsolatePID ({})", pair.origin, isolate.origin),
                    "only one of the two",
                ));
            }
        }
        Ok(layer)
    }

    /// The username with its password; they may come from different sources.
    fn pair(&self) -> Result<Option<Setting<Pair>>, Invalid> {
        let lonely = |is: &str, lacks: &str, one: &Setting<String>| {
            let problem = format!("a {is} ({}) without a {lacks}", one.origin);
            Err(Invalid::new(problem, "both or none of them"))
        };
        match (&self.username, &self.password) {
            (None, None) => Ok(None),
            (Some(username), Some(password)) => {
                let pair = Pair { username: username.value.clone(), password: password.value.clone() };
                Ok(Some(with(username, pair)))
            }
            (Some(username), None) => lonely("username", "password", username),
            (None, Some(password)) => lonely("password", "username", password),
        }
    }

    /// Whether it says where the SocksPort is.
    #[must_use]
    pub const fn says_gateway(&self) -> bool {
        self.address.is_some() || self.port.is_some()
    }

    /// Whether it says what shares circuits.
    #[must_use]
    pub fn says_isolation(&self) -> bool {
        self.username.is_some() || self.isolate.as_ref().is_some_and(|it| it.value)
    }

    /// What means less than torsocks' manual says, or something else, each in a line.
    #[must_use]
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        let mut remark = |what: &str, origin: &dyn fmt::Display, meaning: &str| {
            remarks.push(format!("{what} ({origin}): {meaning}"));
        };
        if let Some(range) = &self.onion_range {
            let meaning = "not used, every name gets an address of 127.192.0.0/10";
            remark(&format!("OnionAddrRange {}", range.value), &range.origin, meaning);
        }
        if let Some(isolate) = self.isolate.as_ref().filter(|it| !it.value) {
            remark("IsolatePID 0", &isolate.origin, "isolation is as uwt's configuration says (scope)");
        }
        if let Some(ipv6) = &self.ipv6 {
            let meaning = "not used, the exit decides how a name is reached";
            remark(&format!("EnableIPv6 {}", u8::from(ipv6.value)), &ipv6.origin, meaning);
        }
        if let Some(loopback) = self.loopback.as_ref().filter(|it| it.value == Loopback::Tcp) {
            remark("AllowOutboundLocalhost 1", &loopback.origin, "allows UDP to this machine too, as 2");
        }
        if let Some(time) = self.log_time.as_ref().filter(|it| it.value) {
            remark("TORSOCKS_LOG_TIME 1", &time.origin, "not used, messages carry no time");
        }
        remarks
    }
}

/// Another value of the same origin.
fn with<T, U>(setting: &Setting<T>, value: U) -> Setting<U> {
    Setting::new(value, setting.origin.clone())
}
