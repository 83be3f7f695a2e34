use uwt_cli::Options;
use uwt_config::Settings;
use uwt_session::{Secret, Voice};

use super::*;
use crate::call::target::Target;
use crate::environment::Environment;
use crate::plan::carried::tests::file;
use crate::plan::machine::pretended::Pretended;

fn settled(
    option: Option<GuardChoice>,
    configured: Option<GuardChoice>,
    tree: Tree,
    abilities: &Abilities,
) -> Result<Guarding, Failure> {
    let machine = Pretended { abilities: abilities.clone(), tree, ..Pretended::machine(false) };
    let settings =
        configured.map_or_else(Settings::default, |choice| Settings { guard: file(choice), ..Settings::default() });
    let options = Options { guard: option, ..Options::default() };
    let target = Target { path: "/x".into(), program: "/x".into(), called: "/x".into(), typed: "x".into() };
    let environment = Environment::default();
    let request = Request {
        options: &options,
        settings: &settings,
        environment: &environment,
        session: None,
        target,
        arguments: Vec::new(),
        fixed: uwt_session::Pinned::default(),
        voice: Voice::Terse,
    };
    settle(&request, tree, &machine)
}

fn abilities(notifications: bool, cage: bool) -> Abilities {
    let ability = |there, reason: &str| if there { Ok(()) } else { Err(reason.to_owned()) };
    Abilities { notifications: ability(notifications, "too old"), cage: ability(cage, "too poor") }
}

const fn made(level: Level, asks: bool) -> Course {
    Course::New { level, asks }
}

#[test]
fn the_best_there_is() {
    use GuardChoice::{Auto, Deny, Off, Tunnel};
    let (tunnel, deny) = (made(Level::Tunnel, true), made(Level::Deny, true));
    let alone = made(Level::Deny, false);
    for (notifications, cage, choice, expected, why) in [
        (true, true, Auto, tunnel, "auto, --guard"),
        (true, true, Tunnel, tunnel, "--guard"),
        (true, true, Deny, deny, "--guard"),
        (true, true, Off, Course::Off, "--guard"),
        (true, false, Auto, deny, "auto, --guard: no tunnel: too poor"),
        (true, false, Deny, deny, "--guard"),
        (false, true, Auto, alone, "auto, --guard: no tunnel: too old"),
        (false, false, Auto, alone, "auto, --guard: no tunnel: too old"),
        (false, true, Deny, alone, "--guard: nobody is asked: too old"),
        (false, false, Off, Course::Off, "--guard"),
    ] {
        let found = settled(Some(choice), None, Tree::Free, &abilities(notifications, cage)).expect("possible");
        assert_eq!(
            (found.course, found.why().to_string().as_str()),
            (expected, why),
            "{notifications} {cage} {choice}"
        );
    }
    for (abilities, reason) in [(abilities(true, false), "too poor"), (abilities(false, true), "too old")] {
        for (option, configured, origin) in [(Some(Tunnel), None, "--guard"), (None, Some(Tunnel), "/f:1")] {
            let failure = settled(option, configured, Tree::Free, &abilities).expect_err("impossible");
            assert_eq!(failure.status, Failure::OURS);
            assert!(failure.message.starts_with(&format!("guard \"tunnel\" ({origin}): {reason}; nothing was run")));
        }
    }
}

#[test]
fn the_command_line_wins_over_the_files() {
    let both = |option, configured| {
        let found = settled(option, configured, Tree::Free, &abilities(true, true)).expect("possible");
        (found.course.level(), found.why().to_string())
    };
    assert_eq!(both(None, None), (Level::Tunnel, "auto, built-in".to_owned()));
    assert_eq!(both(None, Some(GuardChoice::Deny)), (Level::Deny, "/f:1".to_owned()));
    assert_eq!(both(Some(GuardChoice::Off), Some(GuardChoice::Deny)), (Level::Off, "--guard".to_owned()));
    assert_eq!(both(Some(GuardChoice::Auto), Some(GuardChoice::Off)), (Level::Tunnel, "auto, --guard".to_owned()));
}

#[test]
fn a_tree_stays_as_it_is() {
    use GuardChoice::{Auto, Deny, Off, Tunnel};
    const SESSION: &str = "the session this call is part of";
    // It is not asked what the machine could do.
    let nothing = abilities(false, false);
    let within = |level, option, configured| {
        let guard = Guard { level, secret: Secret::new([1; 32]) };
        let found = settled(option, configured, Tree::Known(guard), &nothing)?;
        assert_eq!(found.course, Course::Tree(guard));
        Ok::<String, Failure>(found.why().to_string())
    };
    for (level, same, other) in [(Level::Tunnel, Tunnel, Deny), (Level::Deny, Deny, Tunnel)] {
        for choice in [Auto, same] {
            assert_eq!(within(level, Some(choice), None), Ok(SESSION.to_owned()));
            assert_eq!(within(level, None, Some(choice)), Ok(SESSION.to_owned()));
        }
        for (option, configured, origin) in
            [(Some(Off), None, "--guard"), (None, Some(Off), "/f:1"), (None, Some(other), "/f:1")]
        {
            let choice = option.or(configured).expect("one of them");
            let expected =
                format!("{SESSION}: it cannot be changed any more, not by guard = \"{choice}\", {origin} either");
            assert_eq!(within(level, option, configured), Ok(expected));
        }
        let failure = within(level, Some(other), None).expect_err("too late");
        assert_eq!(failure.status, Failure::OURS);
        let expected =
            format!("--guard={other}: this call is inside a tree that is guarded by `{level}`, which cannot");
        assert!(failure.message.starts_with(&expected), "{}", failure.message);
    }
}
