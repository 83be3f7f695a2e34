//! The session variable.

use std::net::SocketAddrV4;

use uwt_config::Native;
use uwt_session::{FileId, Guard, MAX_VARIABLE, Secret, Session};

use crate::message::Failure;
use crate::plan::carried::Carried;
use crate::plan::report::Reporting;

/// The session that `carried` describes, as text, read back to be sure that the preload library will understand it.
///
/// # Errors
/// It does not fit.
pub(crate) fn text(
    carried: &Carried,
    guard: Option<Guard>,
    secret: Secret,
    launcher: FileId,
) -> Result<String, Failure> {
    let trusted = trusted(carried)?;
    let session = Session { guard, ..session(carried, &trusted, secret, launcher) };
    let text = session.to_string();
    if text.len() > MAX_VARIABLE {
        return Err(Failure::ours(format!(
            "the list `trusted` is too long: its paths may have {} bytes together; shorten it",
            MAX_VARIABLE.saturating_sub(text.len() - trusted.len())
        )));
    }
    if Session::parse(&text) == Ok(session) {
        Ok(text)
    } else {
        Err(Failure::ours("the settings cannot be handed to the program; this is a fault of uwt, please report it"))
    }
}

/// The same before it is text, without a guard.
pub(crate) fn session<'a>(carried: &'a Carried, trusted: &'a str, secret: Secret, launcher: FileId) -> Session<'a> {
    Session {
        gateway: SocketAddrV4::new(carried.gateway.value, carried.port.value),
        secret,
        scope: carried.isolation.scope.value,
        credentials: carried.credentials.value,
        dns: carried.dns.value,
        inbound: carried.inbound.value,
        bind: carried.bind.address,
        allow_loopback: carried.allow_loopback.value,
        // A program that is told about the SocksPort shall reach it, wherever it is.
        local_tor: carried.local_tor.value || carried.native.value == Native::AllProxy,
        timeout: carried.timeout.value,
        optimistic: carried.optimistic.value,
        voice: carried.voice,
        report: carried.report.value != Reporting::Nothing,
        guard: None,
        pinned: carried.pinned,
        launcher,
        trusted,
        preload: &carried.library.path,
    }
}

fn trusted(carried: &Carried) -> Result<String, Failure> {
    let mut list = String::new();
    for path in &carried.trusted.value {
        let name = path.to_str().filter(|name| !name.contains(|letter: char| letter == ':' || letter.is_whitespace()));
        let Some(name) = name else {
            return Err(Failure::ours(format!(
                "trusted: {} has white space, ':' or bytes that are not UTF-8 in it; remove it ({})",
                path.display(),
                carried.trusted.origin
            )));
        };
        if !list.is_empty() {
            list.push(':');
        }
        list.push_str(name);
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use uwt_config::Setting;
    use uwt_policy::Level;

    use super::*;
    use crate::plan::carried::tests::carried;

    const GUARD: Guard = Guard { level: Level::Tunnel, secret: Secret::new([4; 32]) };
    const LAUNCHER: FileId = FileId { device: 1, inode: 2 };

    #[test]
    fn it_is_optimistic_where_the_command_is() {
        for value in [false, true] {
            let carried = Carried { optimistic: Setting::built_in(value), ..carried() };
            let text = text(&carried, Some(GUARD), Secret::new([3; 32]), LAUNCHER).expect("fits");
            assert_eq!(Session::parse(&text).expect("parses").optimistic, value);
        }
    }

    #[test]
    fn who_is_told_about_the_socks_port_may_use_it() {
        for (value, native, expected) in
            [(true, Native::None, true), (false, Native::None, false), (false, Native::AllProxy, true)]
        {
            let carried =
                Carried { local_tor: Setting::built_in(value), native: Setting::built_in(native), ..carried() };
            let text = text(&carried, None, Secret::new([3; 32]), LAUNCHER).expect("fits");
            assert_eq!(Session::parse(&text).expect("parses").local_tor, expected);
        }
    }

    #[test]
    fn it_is_read_back() {
        let with = |paths: &[&str]| {
            let trusted = Setting::built_in(paths.iter().map(PathBuf::from).collect());
            text(&Carried { trusted, ..carried() }, Some(GUARD), Secret::new([3; 32]), LAUNCHER)
        };
        for paths in [&[][..], &["/sbin/ldconfig"], &["/sbin/ldconfig", "/usr/sbin/ldconfig"]] {
            let text = with(paths).expect("fits");
            let session = Session::parse(&text).expect("parses");
            assert_eq!(session.trusted, paths.join(":"));
            assert_eq!((session.launcher, session.secret), (LAUNCHER, Secret::new([3; 32])));
            assert_eq!(session.guard, Some(GUARD));
        }
        assert!(with(&["/a b"]).expect_err("blank").message.contains("white space"));
        let long = format!("/{}", "x".repeat(MAX_VARIABLE));
        assert!(with(&[&long]).expect_err("long").message.contains("too long"));
    }
}
