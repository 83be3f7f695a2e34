//! What shares a circuit with what, and where the secret behind it comes from.

use uwt_config::{Identity, Origin, Pair, Setting};
use uwt_policy::Scope;

use super::Request;

/// The isolation of a call.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Isolation {
    /// The scope.
    pub(crate) scope: Setting<Scope>,
    /// The identity; unknown where it is inherited.
    pub(crate) identity: Option<Identity>,
    /// The secret that is handed down.
    pub(crate) secret: SecretSource,
}

/// Where the secret of a session comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SecretSource {
    /// Drawn for this session.
    New,
    /// The one of the session we are nested in.
    Session,
    /// The user's own, of this boot.
    User,
    /// Derived from the user's own for the identity of this name.
    Identity(String),
    /// Derived from the user's own for this username and password.
    Pair(Pair),
}

/// Command line, else what an outer command line fixed, else the configuration. A setting that was made for this call alone
/// is as good as an option.
pub(crate) fn settle(request: &Request<'_>) -> Isolation {
    let (options, settings) = (request.options, request.settings);
    let of_the_call = settings.scope.origin.is_of_the_call();
    let pinned = request.session.filter(|session| session.pinned.scope && !of_the_call);
    let (scope, identity) = if let Some(name) = &options.identity {
        (Setting::new(Scope::Identity, Origin::CommandLine("--identity")), Some(Identity::Name(name.clone())))
    } else if let Some(scope) = options.isolate {
        (Setting::new(scope, Origin::CommandLine("--isolate")), None)
    } else if let Some(session) = pinned {
        (Setting::new(session.scope, Origin::Session), None)
    } else {
        (settings.scope.clone(), settings.identity.value.clone())
    };
    let outer = request.session.map(|session| session.scope);
    let secret = match (scope.value, &identity) {
        (Scope::Identity, Some(Identity::Name(name))) => SecretSource::Identity(name.clone()),
        (Scope::Identity, Some(Identity::Pair(pair))) => SecretSource::Pair(pair.clone()),
        // Only an inherited identity has no name.
        (Scope::Identity, None) => SecretSource::Session,
        (Scope::Command, _) if outer == Some(Scope::Command) => SecretSource::Session,
        (Scope::Command, _) => SecretSource::User,
        // A secret that outlives the session would join this invocation with others.
        (_, _) if matches!(outer, None | Some(Scope::Command | Scope::Identity)) => SecretSource::New,
        (_, _) => SecretSource::Session,
    };
    let identity = identity.filter(|_| scope.value == Scope::Identity);
    Isolation { scope, identity, secret }
}
