//! The precedence of built-in values, files, the outer session's command line and ours.

use std::ffi::OsString;

use uwt_cli::Options;
use uwt_config::{GatewayChoice, GuardChoice, Identity, Localhost, Pair, Settings};
use uwt_policy::{Level, Scope};
use uwt_session::{FileId, Guard, Secret, Session, Voice};

use super::*;
use crate::call::target::Target;
use crate::environment::Environment;
use crate::environment::tests::environment;
use crate::plan::guard::Course;
use crate::plan::isolation::SecretSource;
use crate::plan::machine::pretended::Pretended;
use crate::plan::passthrough::Reason;
use crate::plan::time::Time;
use crate::plan::{Plan, Protection, make};

fn outer(scope: Scope, pinned: Pinned) -> Session<'static> {
    Session {
        gateway: "10.9.9.9:9999".parse().expect("address"),
        secret: Secret::new([9; 32]),
        scope,
        credentials: CredentialForm::Plain,
        dns: DnsMode::Resolve,
        inbound: Inbound::Loopback,
        bind: None,
        allow_loopback: true,
        local_tor: true,
        timeout: 150,
        optimistic: false,
        voice: Voice::Terse,
        report: false,
        guard: None,
        pinned,
        launcher: FileId { device: 0, inode: 0 },
        trusted: "",
        preload: "/p.so",
    }
}

const NOTHING: Pinned = Pinned { gateway: false, scope: false, dns: false };
const ALL: Pinned = Pinned { gateway: true, scope: true, dns: true };

fn plan(
    options: &Options,
    settings: &Settings,
    session: Option<&Session<'_>>,
    environment: &Environment,
    arguments: &[&str],
    machine: &Pretended,
) -> Result<Plan, Failure> {
    let target = Target { path: "/x".into(), program: "/x".into(), called: "/x".into(), typed: "x".into() };
    let arguments = arguments.iter().map(OsString::from).collect();
    let fixed = Pinned::default();
    let request = Request { options, settings, fixed, environment, session, target, arguments, voice: Voice::Terse };
    make(request, machine)
}

/// What holds on this machine by these settings.
pub(crate) fn settled(settings: &Settings, machine: &Pretended) -> Result<Carried, Failure> {
    match plan(&Options::default(), settings, None, &Environment::default(), &[], machine)?.protection {
        Protection::On(carried) => Ok(*carried),
        other => unreachable!("{other:?}"),
    }
}

fn carried_by(options: &Options, settings: &Settings, session: Option<&Session<'_>>) -> Carried {
    let machine = Pretended::machine(false);
    match plan(options, settings, session, &Environment::default(), &[], &machine).expect("possible").protection {
        Protection::On(carried) => *carried,
        other => unreachable!("{other:?}"),
    }
}

/// What holds without options, files and session.
pub(crate) fn carried() -> Carried {
    let settings =
        Settings { gateway: Setting::built_in(GatewayChoice::Address(Ipv4Addr::LOCALHOST)), ..Settings::default() };
    carried_by(&Options::default(), &settings, None)
}

pub(crate) fn file<T>(value: T) -> Setting<T> {
    Setting::new(value, Origin::File { path: "/f".into(), line: 1 })
}

#[test]
fn gateways() {
    let from_file = Settings {
        gateway: file(GatewayChoice::Address(Ipv4Addr::new(10, 0, 0, 2))),
        port: file(9002),
        ..Settings::default()
    };
    let ip = Some(GatewayChoice::Address(Ipv4Addr::new(10, 0, 0, 3)));
    let with_ip = Options { ip, ..Options::default() };
    let with_port = Options { port: Some(9003), ..Options::default() };
    let with_auto = Options { ip: Some(GatewayChoice::Auto), ..Options::default() };
    let (pinned, loose) = (outer(Scope::Process, ALL), outer(Scope::Process, NOTHING));
    let none = Options::default();
    let built_in = Settings::default();
    for (options, settings, session, expected, is_pinned) in [
        (&none, &built_in, None, "10.0.0.1:9050", false),
        (&none, &from_file, None, "10.0.0.2:9002", false),
        (&none, &from_file, Some(&loose), "10.0.0.2:9002", false),
        (&none, &from_file, Some(&pinned), "10.9.9.9:9999", true),
        (&with_ip, &from_file, Some(&pinned), "10.0.0.3:9999", true),
        (&with_port, &from_file, Some(&pinned), "10.9.9.9:9003", true),
        (&with_ip, &from_file, None, "10.0.0.3:9002", true),
        (&with_port, &built_in, None, "10.0.0.1:9003", true),
        (&with_auto, &from_file, Some(&pinned), "10.0.0.1:9999", true),
    ] {
        let carried = carried_by(options, settings, session);
        assert_eq!(format!("{}:{}", carried.gateway.value, carried.port.value), expected, "{options:?}");
        assert_eq!(carried.pinned.gateway, is_pinned, "{expected}");
    }
}

#[test]
fn scopes_and_their_secrets() {
    let isolate = |scope| Options { isolate: Some(scope), ..Options::default() };
    let none = Options::default();
    let work = Options { identity: Some("work".to_owned()), ..Options::default() };
    let built_in = Settings::default();
    let home = Settings {
        scope: file(Scope::Identity),
        identity: file(Some(Identity::Name("home".to_owned()))),
        ..Settings::default()
    };
    let command = Settings { scope: file(Scope::Command), ..Settings::default() };
    let identity = |name: &str| SecretSource::Identity(name.to_owned());
    for (options, settings, session, scope, secret, pinned) in [
        (&none, &built_in, None, Scope::Process, SecretSource::New, false),
        (&none, &home, None, Scope::Identity, identity("home"), false),
        (&none, &command, None, Scope::Command, SecretSource::User, false),
        (&work, &home, None, Scope::Identity, identity("work"), true),
        (&isolate(Scope::None), &home, None, Scope::None, SecretSource::New, true),
        // Nested, the outer command line said nothing.
        (&none, &built_in, Some((Scope::Process, NOTHING)), Scope::Process, SecretSource::Session, false),
        (&none, &home, Some((Scope::Process, NOTHING)), Scope::Identity, identity("home"), false),
        (&none, &command, Some((Scope::Process, NOTHING)), Scope::Command, SecretSource::User, false),
        (&none, &command, Some((Scope::Command, NOTHING)), Scope::Command, SecretSource::Session, false),
        (&none, &built_in, Some((Scope::Identity, NOTHING)), Scope::Process, SecretSource::New, false),
        (&none, &built_in, Some((Scope::None, NOTHING)), Scope::Process, SecretSource::Session, false),
        // Nested, it did.
        (&none, &home, Some((Scope::Invocation, ALL)), Scope::Invocation, SecretSource::Session, true),
        (&none, &home, Some((Scope::Identity, ALL)), Scope::Identity, SecretSource::Session, true),
        (&work, &home, Some((Scope::Identity, ALL)), Scope::Identity, identity("work"), true),
        (
            &isolate(Scope::Invocation),
            &built_in,
            Some((Scope::Command, ALL)),
            Scope::Invocation,
            SecretSource::New,
            true,
        ),
        (&isolate(Scope::Command), &built_in, Some((Scope::Identity, ALL)), Scope::Command, SecretSource::User, true),
    ] {
        let session = session.map(|(scope, pinned)| outer(scope, pinned));
        let carried = carried_by(options, settings, session.as_ref());
        let isolation = carried.isolation;
        assert_eq!((isolation.scope.value, &isolation.secret), (scope, &secret), "{options:?} {session:?}");
        assert_eq!(carried.pinned.scope, pinned);
        assert!(isolation.identity.is_none() || scope == Scope::Identity);
    }
}

/// As torsocks sets them: stronger than what an outer command line fixed, and fixed for what is nested in this call.
#[test]
fn settings_of_the_call() {
    let pair = Pair { username: "a".to_owned(), password: "b".to_owned() };
    let variable = |name| Origin::Environment(name);
    let of_call = Settings {
        port: Setting::new(9, Origin::CommandLine("--port")),
        scope: Setting::new(Scope::Identity, variable("TORSOCKS_USERNAME")),
        identity: Setting::new(Some(Identity::Pair(pair.clone())), variable("TORSOCKS_USERNAME")),
        ..Settings::default()
    };
    let from_file = Settings { port: file(9), ..Settings::default() };
    let (none, outer) = (Options::default(), outer(Scope::Invocation, ALL));
    let carried = carried_by(&none, &of_call, Some(&outer));
    assert_eq!((carried.gateway.value, carried.port.value), (*outer.gateway.ip(), 9));
    assert_eq!((carried.isolation.scope.value, carried.isolation.secret), (Scope::Identity, SecretSource::Pair(pair)));
    assert_eq!(carried_by(&none, &from_file, Some(&outer)).port.value, outer.gateway.port());

    let fixed = Pinned { gateway: true, ..NOTHING };
    let target = Target { path: "/x".into(), program: "/x".into(), called: "/x".into(), typed: "x".into() };
    let (environment, arguments) = (&Environment::default(), Vec::new());
    let (options, settings) = (&none, &of_call);
    let request =
        Request { options, settings, fixed, environment, session: None, target, arguments, voice: Voice::Silent };
    let carried = settle(&request, Tree::Free, None, &Pretended::machine(false)).expect("possible");
    assert_eq!((carried.pinned, carried.voice), (fixed, Voice::Silent));

    let machine = Pretended { tree: Tree::Lost, ..Pretended::machine(false) };
    let lost = plan(&none, &of_call, None, environment, &[], &machine).expect_err("nobody to be told");
    assert!(lost.message.starts_with("--port: this call is inside a guarded tree"), "{}", lost.message);
}

#[test]
fn names() {
    let resolve = Settings { dns: file(DnsMode::Resolve), ..Settings::default() };
    let asked = Options { dns: Some(DnsMode::Names), ..Options::default() };
    let none = Options::default();
    let (pinned, loose) = (outer(Scope::Process, ALL), outer(Scope::Process, NOTHING));
    let built_in = Settings::default();
    for (options, settings, session, mode, is_pinned) in [
        (&none, &built_in, None, DnsMode::Names, false),
        (&none, &resolve, None, DnsMode::Resolve, false),
        (&none, &built_in, Some(&loose), DnsMode::Names, false),
        (&none, &built_in, Some(&pinned), DnsMode::Resolve, true),
        (&asked, &resolve, Some(&pinned), DnsMode::Names, true),
    ] {
        let carried = carried_by(options, settings, session);
        assert_eq!((carried.dns.value, carried.pinned.dns), (mode, is_pinned));
    }
}

#[test]
fn an_unknown_gateway_runs_nothing() {
    let machine = Pretended { surroundings: Err(()), ..Pretended::machine(false) };
    let none = Environment::default();
    let make =
        |options: &Options, arguments: &[&str]| plan(options, &Settings::default(), None, &none, arguments, &machine);
    assert_eq!(make(&Options::default(), &[]).expect_err("unknown").status, Failure::OURS);
    assert_eq!(make(&Options::default(), &["localhost"]).expect_err("unknown").status, Failure::OURS);
    let ip = Some(GatewayChoice::Address(Ipv4Addr::LOCALHOST));
    let told = make(&Options { ip, ..Options::default() }, &["localhost"]).expect("known");
    assert!(matches!(told.protection, Protection::On(_)), "not known to be transparent: stays wrapped");
}

#[test]
fn nothing_is_detected_without_need() {
    let machine = Pretended::machine(false);
    let settings = Settings { gateway: file(GatewayChoice::Address(Ipv4Addr::LOCALHOST)), ..Settings::default() };
    let none = Environment::default();
    plan(&Options::default(), &settings, None, &none, &["example.com"], &machine).expect("possible");
    assert_eq!(machine.asked.get(), 0);
}

#[test]
fn passthrough() {
    let off = Settings { enabled: file(false), ..Settings::default() };
    let on = Settings { transparent_proxy: file(Some(true)), ..Settings::default() };
    let not = Settings { transparent_proxy: file(Some(false)), ..Settings::default() };
    let forced = Settings { localhost: file(Localhost::Passthrough), ..Settings::default() };
    let never = Settings { localhost: file(Localhost::Loopback), ..on.clone() };
    let built_in = Settings::default();
    let local = &["http://localhost/"][..];
    for (settings, entries, arguments, transparent, expected) in [
        (&built_in, &[][..], &[][..], true, ""),
        (&built_in, &["UWT_DEV_PASSTHROUGH=1"], &[], false, "UWT_DEV_PASSTHROUGH=1 in the environment"),
        (&built_in, &["UWT_DEV_PASSTHROUGH="], &[], false, ""),
        (&built_in, &["UWT_DEV_PASSTHROUGH=0"], &[], false, ""),
        (&built_in, &["UWT_DEV_PASSTHROUGH=10"], &[], false, ""),
        (&built_in, &["UWT_DEV_PASSTHROUGH=true"], &[], false, ""),
        (&off, &[], &[], false, "enabled = false, /f:1"),
        (&built_in, &[], local, false, ""),
        (&built_in, &[], local, true, "the arguments contain localhost and as told"),
        (&not, &[], local, true, ""),
        (&on, &[], local, false, "the arguments contain localhost and transparent_proxy = true, /f:1"),
        (&forced, &[], local, false, "the arguments contain localhost and localhost = \"passthrough\", /f:1"),
        (&forced, &[], &["example.com"], true, ""),
        (&never, &[], local, true, ""),
    ] {
        let environment = environment(entries);
        let machine = Pretended::machine(transparent);
        let plan = plan(&Options::default(), settings, None, &environment, arguments, &machine).expect("possible");
        let reason = match &plan.protection {
            Protection::Off(reason) => reason.to_string(),
            _ => String::new(),
        };
        assert_eq!(reason, expected, "{entries:?} {arguments:?}");
    }
    assert_eq!(Reason::Environment.to_string(), "UWT_DEV_PASSTHROUGH=1 in the environment");
}

#[test]
fn a_guarded_tree_is_not_left() {
    let guard = Guard { level: Level::Deny, secret: Secret::new([1; 32]) };
    let off = environment(&["UWT_DEV_PASSTHROUGH=1"]);
    let in_tree = |tree, options: &Options, environment: &Environment| {
        let machine = Pretended { tree, ..Pretended::machine(false) };
        plan(options, &Settings::default(), None, environment, &[], &machine).map(|plan| plan.protection)
    };
    let none = Options::default();
    let Ok(Protection::On(carried)) = in_tree(Tree::Known(guard), &none, &off) else { unreachable!() };
    assert_eq!((carried.instead_of, carried.guard.course), (Some(Reason::Environment), Course::Tree(guard)));
    // Its session is lost: nothing can be said to anybody, so nothing must be asked for.
    let lost = |environment: &Environment| in_tree(Tree::Lost, &none, environment);
    assert_eq!(lost(&Environment::default()), Ok(Protection::Tree { instead_of: None }));
    assert_eq!(lost(&off), Ok(Protection::Tree { instead_of: Some(Reason::Environment) }));
    let ip = Some(GatewayChoice::Auto);
    for (options, name) in [
        (Options { ip, ..Options::default() }, "--ip"),
        (Options { port: Some(1), ..Options::default() }, "--port"),
        (Options { isolate: Some(Scope::None), ..Options::default() }, "--isolate"),
        (Options { identity: Some("a".to_owned()), ..Options::default() }, "--identity"),
        (Options { guard: Some(GuardChoice::Off), ..Options::default() }, "--guard"),
        (Options { dns: Some(DnsMode::Names), ..Options::default() }, "--dns"),
    ] {
        let failure = in_tree(Tree::Lost, &options, &off).expect_err(name);
        assert_eq!(failure.status, Failure::OURS);
        assert!(failure.message.starts_with(&format!("{name}: this call is inside a guarded tree")));
    }
}

#[test]
fn clocks() {
    let own = || Time::Own { library: "/lib/faketime/libfaketime.so.1".to_owned(), origin: file(()).origin };
    let asked = Settings { time_privacy: file(true), ..Settings::default() };
    let refused = Settings { time_privacy: file(false), ..Settings::default() };
    let built_in = Settings::default();
    let outside = &["UWT_FAKETIME=/lib/faketime/libfaketime.so.1"][..];
    let off = &["UWT_FAKETIME=/lib/faketime/libfaketime.so.1", "UWT_DEV_PASSTHROUGH=1"][..];
    let time = |settings: &Settings, entries: &[&str], machine: &Pretended| {
        plan(&Options::default(), settings, None, &environment(entries), &[], machine).map(|plan| plan.time)
    };
    let machine = Pretended::machine(false);
    for (settings, entries, expected) in [
        (&built_in, &[][..], Time::Real(Origin::BuiltIn)),
        (&built_in, outside, Time::Outer),
        (&built_in, off, Time::Real(Origin::BuiltIn)),
        (&refused, outside, Time::Real(file(()).origin)),
        (&asked, &[], own()),
        (&asked, outside, own()),
        (&asked, off, Time::Real(file(()).origin)),
    ] {
        assert_eq!(time(settings, entries, &machine), Ok(expected), "{entries:?}");
    }
    let lost = Pretended { tree: Tree::Lost, ..Pretended::machine(false) };
    assert_eq!(time(&asked, &[], &lost), Ok(own()), "it needs no session");
    let missing = Pretended { faketime: false, ..Pretended::machine(false) };
    assert_eq!(time(&asked, &[], &missing).expect_err("missing").status, Failure::OURS);
    assert_eq!(time(&asked, off, &missing), Ok(Time::Real(file(()).origin)), "nobody needs it");
}

#[test]
fn nesting_ends_even_what_is_not_wrapped() {
    let environment = environment(&["uwtwrapper_counter=10", "UWT_DEV_PASSTHROUGH=1"]);
    let machine = Pretended::machine(false);
    let failure = plan(&Options::default(), &Settings::default(), None, &environment, &[], &machine).expect_err("deep");
    assert_eq!(failure.status, Failure::NESTED);
}
