//! By which names wrapped commands are called, and which ways lead past uwt.

use support::debian::Who;

use crate::place::Place;

const WWW: [&str; 1] = ["www.lab.test:80"];
const GET: &str = "-sS http://www.lab.test/";

#[test]
fn the_wrapper_can_be_executed_by_its_own_name() {
    let mut place = Place::workstation();
    // Programs that look for where a link leads (eatmydata, say) come to this one.
    place.types(Who::User, &format!("exec /usr/bin/curl.anondist {GET}")).asked_for(&WWW);
    place.types(Who::User, &format!("uwt curl {GET}")).asked_for(&WWW);
    place.types(Who::User, &format!("uwt curl.anondist-orig {GET}")).asked_for(&WWW);
}

#[test]
fn links_to_wrapped_commands_keep_their_names() {
    let mut place = Place::workstation().with_ssh_keys(Who::User);
    place.types(Who::User, "git init -q --bare new").asked_for(&[]);
    // git does what it is called by.
    let typed = place.types(Who::User, "git-receive-pack --advertise-refs new");
    assert!(typed.asked_for(&[]).contains("report-status"), "{typed:#?}");
    let typed =
        place.types(Who::User, "git-upload-pack --advertise-refs new; /usr/bin/git-upload-archive new </dev/null");
    assert!(typed.ran.err.contains("upload-archive") && typed.targets().is_empty(), "{typed:#?}");
    assert_eq!(place.types(Who::User, "slogin ssh.lab.test echo hello").asked_for(&["ssh.lab.test:22"]), "hello\n");
}

#[test]
fn originals_and_passthrough_go_past_uwt() {
    let mut place = Place::workstation();
    let page = place.types_unwrapped(Who::User, &format!("curl.anondist-orig {GET}"), "www.lab.test");
    assert!(page.succeeded().contains("\"path\":\"/\""), "{page:?}");
    let page = place.types_unwrapped(Who::User, &format!("UWT_DEV_PASSTHROUGH=1 curl {GET}"), "www.lab.test");
    assert!(page.succeeded().contains("\"path\":\"/\""), "{page:?}");
    let update = place.types_unwrapped(Who::User, "UWT_DEV_PASSTHROUGH=1 sudo -E apt-get -q update", "mirror.lab.test");
    assert!(update.succeeded().contains("Fetched"), "{update:?}");
    // Without -E sudo forgets it.
    place.types(Who::User, "UWT_DEV_PASSTHROUGH=1 sudo apt-get -q update").asked_for(&["mirror.lab.test:80"]);
}

#[test]
fn a_command_that_comes_later_is_wrapped_at_once() {
    let mut place = Place::workstation();
    let typed = place.types(Who::User, "scurl http://www.lab.test/");
    assert_eq!((typed.ran.status, typed.ran.out.as_str()), (Some(127), ""), "{typed:#?}");
    let message = "uwt: /usr/bin/scurl.anondist-orig: not found; the package that brings scurl may be missing";
    assert!(typed.ran.err.starts_with(message) && typed.ran.err.lines().count() == 1, "{typed:#?}");

    let mirror = ["mirror.lab.test:80"; 2];
    place.types(Who::Root, "apt-get -q update && apt-get install -q -y uwt-lab-scurl").asked_for(&mirror);
    // It is a script that calls curl.
    let typed = place.types(Who::User, "scurl http://www.lab.test/");
    assert!(typed.asked_for(&WWW).contains("\"path\":\"/\""), "{typed:#?}");
    // And when its package goes again, nothing is left to run.
    place.types(Who::Root, "apt-get remove -q -y uwt-lab-scurl").asked_for(&[]);
    assert_eq!(place.types(Who::User, "scurl http://www.lab.test/").ran.status, Some(127));
}

#[test]
fn a_loop_of_links_ends() {
    let mut place = Place::workstation();
    place.types(Who::Root, "ln -sf curl /usr/bin/curl.anondist-orig").asked_for(&[]);
    for who in [Who::User, Who::Root] {
        let typed = place.types(who, &format!("curl {GET}"));
        assert_eq!((typed.ran.status, typed.ran.out.as_str(), typed.targets().len()), (Some(255), "", 0), "{typed:#?}");
        let (message, cause) = typed.ran.err.split_once('\n').expect("two lines");
        let expected = "uwtwrapper uwt wrapper ERROR: More than uwtwrapper_counter '10' nested executions \
                        (uwtwrapper_max: '10').";
        assert_eq!(message, expected);
        assert!(cause.contains("symbolic links") && cause.contains("max_nested"), "{cause}");
    }
}
