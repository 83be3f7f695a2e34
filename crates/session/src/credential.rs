//! From a session and who asks to a SOCKS5 credential.

use uwt_policy::{CredentialForm, Scope};

use crate::{Secret, Session};

/// Who connects, as far as any scope asks for it.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The process (thread group) id.
    pub pid: u32,
    /// What tells this process from an earlier one of the same pid: its start time in clock ticks since boot.
    pub start: u64,
    /// The absolute path of the program.
    pub program: &'a [u8],
    /// The destination host, name or address, in its canonical text.
    pub destination: &'a str,
}

/// A username and a password (RFC 1929). Two equal ones may share a circuit, two different ones never do
/// (tor(1), `IsolateSOCKSAuth`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credential {
    form: CredentialForm,
    text: [u8; PREFIX.len() + TOKEN],
}

const PREFIX: &str = "uwt-";
const TOKEN: usize = 32;
/// The extended form's username: format version 0 of socks-extensions.
const EXTENDED: &str = "<torS0X>0";

impl Credential {
    /// The credential of `subject`; `None` in the scope that sends none.
    #[must_use]
    pub fn of(session: &Session<'_>, subject: &Subject<'_>) -> Option<Self> {
        let secret = &session.secret;
        let pid = subject.pid.to_le_bytes();
        let start = subject.start.to_le_bytes();
        let token = match session.scope {
            Scope::Process => secret.hash(&[b"process", &pid, &start]),
            Scope::Destination => secret.hash(&[b"destination", &pid, &start, subject.destination.as_bytes()]),
            Scope::Command => secret.hash(&[b"command", subject.program]),
            Scope::Invocation => secret.hash(&[b"invocation"]),
            Scope::Identity => secret.hash(&[b"identity"]),
            Scope::None => return None,
        };
        Some(Self::new(session.credentials, token))
    }

    fn new(form: CredentialForm, token: [u8; TOKEN / 2]) -> Self {
        let mut text = [0; PREFIX.len() + TOKEN];
        for (place, byte) in text.iter_mut().zip(PREFIX.bytes()) {
            *place = byte;
        }
        let places = text.iter_mut().skip(PREFIX.len());
        for (index, place) in places.enumerate() {
            let byte = token.get(index / 2).copied().unwrap_or_default();
            let digit = if index % 2 == 0 { byte >> 4 } else { byte & 0xf };
            *place = if digit < 10 { b'0' + digit } else { b'a' - 10 + digit };
        }
        Self { form, text }
    }

    /// What tells this credential from others in messages and logs, whatever its form.
    #[must_use]
    pub fn label(&self) -> &str {
        core::str::from_utf8(&self.text).unwrap_or_default()
    }

    /// RFC 1929's UNAME.
    #[must_use]
    pub fn username(&self) -> &str {
        match self.form {
            CredentialForm::Plain => self.label(),
            CredentialForm::Extended => EXTENDED,
        }
    }

    /// RFC 1929's PASSWD.
    #[must_use]
    pub fn password(&self) -> &str {
        match self.form {
            CredentialForm::Plain => "0",
            CredentialForm::Extended => self.label().strip_prefix(PREFIX).unwrap_or_default(),
        }
    }
}

/// The secret that an identity's sessions hand down: its own, so that a program can't find another identity's.
impl Secret {
    /// Of the identity `name`, from the user's secret of this boot.
    #[must_use]
    pub fn of_identity(&self, name: &str) -> Self {
        self.derive("identity", name.as_bytes())
    }

    /// Of who gives this username and password: nobody's identity, and no other pair's.
    #[must_use]
    pub fn of_pair(&self, username: &str, password: &str) -> Self {
        self.derive("username", username.as_bytes()).derive("password", password.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::variable::tests::session;

    #[test]
    fn nobody_shares_a_pair_s_secret() {
        let user = Secret::new([3; 32]);
        let all = [
            user.of_pair("a", "bc"),
            user.of_pair("ab", "c"),
            user.of_pair("bc", "a"),
            user.of_pair("a", ""),
            user.of_identity("a"),
            user.of_identity("abc"),
            user,
        ];
        for (place, one) in all.iter().enumerate() {
            assert_eq!(all.iter().position(|other| other == one), Some(place));
        }
        assert_eq!(user.of_pair("a", "bc"), all[0]);
    }

    fn credential(scope: Scope, pid: u32, program: &str, destination: &str) -> Option<Credential> {
        let session = Session { scope, ..session() };
        Credential::of(&session, &Subject { pid, start: 5, program: program.as_bytes(), destination })
    }

    #[test]
    fn what_each_scope_tells_apart() {
        let base = |scope| credential(scope, 1, "/a", "x");
        for (scope, by_pid, by_program, by_destination) in [
            (Scope::Process, true, false, false),
            (Scope::Invocation, false, false, false),
            (Scope::Command, false, true, false),
            (Scope::Destination, true, false, true),
            (Scope::Identity, false, false, false),
        ] {
            assert_eq!(base(scope), base(scope), "{scope}");
            assert_eq!(base(scope) != credential(scope, 2, "/a", "x"), by_pid, "{scope} by pid");
            assert_eq!(base(scope) != credential(scope, 1, "/b", "x"), by_program, "{scope} by program");
            assert_eq!(base(scope) != credential(scope, 1, "/a", "y"), by_destination, "{scope} by destination");
        }
        assert_eq!(base(Scope::None), None);
    }

    #[test]
    fn a_recycled_pid_is_another_process() {
        let at = |start| Credential::of(&session(), &Subject { pid: 1, start, program: b"/a", destination: "x" });
        assert_ne!(at(5), at(6));
    }

    #[test]
    fn forms() {
        let plain = credential(Scope::Process, 1, "/a", "x").unwrap();
        assert_eq!((plain.username().len(), plain.password()), (36, "0"));
        assert!(plain.username().starts_with("uwt-"));
        let extended = Session { credentials: CredentialForm::Extended, ..session() };
        let extended =
            Credential::of(&extended, &Subject { pid: 1, start: 5, program: b"/a", destination: "x" }).unwrap();
        assert_eq!(extended.username(), "<torS0X>0");
        assert_eq!(extended.password(), &plain.username()[4..]);
    }

    #[test]
    fn scopes_and_sessions_do_not_share_tokens() {
        let mut seen = std::vec::Vec::new();
        for scope in Scope::ALL {
            if let Some(credential) = credential(*scope, 1, "/a", "x") {
                assert!(!seen.contains(&credential));
                seen.push(credential);
            }
        }
        let other = Session { secret: Secret::new([9; 32]), ..session() };
        let other = Credential::of(&other, &Subject { pid: 1, start: 5, program: b"/a", destination: "x" });
        assert_ne!(other, credential(Scope::Process, 1, "/a", "x"));
    }
}
