//! `native = "all_proxy"`: the program's own proxy support, told by environment variables (curl(1), ENVIRONMENT).

use std::fmt::Write as _;
use std::net::SocketAddrV4;

use uwt_session::Credential;

use crate::environment::Environment;

/// The variables that name the proxy.
const PROXY: [&str; 2] = ["ALL_PROXY", "all_proxy"];
/// The ones that would overrule them.
const OVERRULING: [&str; 8] =
    ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "FTP_PROXY", "ftp_proxy", "NO_PROXY", "no_proxy"];

/// Sends the program to the SocksPort by itself, with the credential its process has anyway.
pub(crate) fn set(environment: &mut Environment, gateway: SocketAddrV4, credential: Option<&Credential>) {
    let url = url(gateway, credential);
    for name in PROXY {
        environment.set(name, url.as_bytes());
    }
    for name in OVERRULING {
        environment.remove(name);
    }
}

/// Removes what [`set`] left to the children of the program: the credential is that program's alone.
pub(crate) fn remove_inherited(environment: &mut Environment) {
    for name in PROXY {
        let value = environment.get(name).map(std::ffi::OsStr::as_encoded_bytes).unwrap_or_default();
        if value.starts_with(b"socks5h://uwt-") || value.starts_with(b"socks5h://%3CtorS0X%3E") {
            environment.remove(name);
        }
    }
}

fn url(gateway: SocketAddrV4, credential: Option<&Credential>) -> String {
    let mut url = "socks5h://".to_owned();
    if let Some(credential) = credential {
        encode(&mut url, credential.username());
        url.push(':');
        encode(&mut url, credential.password());
        url.push('@');
    }
    let _ = write!(url, "{gateway}");
    url
}

/// Percent-encodes everything but RFC 3986's unreserved characters.
fn encode(url: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            url.push(char::from(byte));
        } else {
            let _ = write!(url, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use uwt_policy::{CredentialForm, Scope};
    use uwt_session::{FileId, Secret, Subject};

    use super::*;
    use crate::environment::tests::environment;
    use crate::hand_down::session::session;
    use crate::plan::carried::tests::carried;

    #[test]
    fn the_credential_is_the_process_s_own() {
        let gateway = "10.152.152.10:9050".parse().expect("address");
        let subject = Subject { pid: 7, start: 8, program: b"/usr/bin/curl", destination: "" };
        for (form, scope) in [
            (CredentialForm::Plain, Scope::Process),
            (CredentialForm::Extended, Scope::Process),
            (CredentialForm::Plain, Scope::None),
        ] {
            let mut carried = carried();
            carried.credentials.value = form;
            carried.isolation.scope.value = scope;
            let session = session(&carried, "", Secret::new([1; 32]), FileId { device: 0, inode: 0 });
            let credential = Credential::of(&session, &subject);
            let mut changed = environment(&["all_proxy=http://x", "NO_PROXY=*", "https_proxy=y", "A=1"]);
            set(&mut changed, gateway, credential.as_ref());
            let expected = match (&credential, form) {
                (None, _) => "socks5h://10.152.152.10:9050".to_owned(),
                (Some(it), CredentialForm::Plain) => format!("socks5h://{}:0@10.152.152.10:9050", it.username()),
                (Some(it), CredentialForm::Extended) => {
                    format!("socks5h://%3CtorS0X%3E0:{}@10.152.152.10:9050", it.password())
                }
            };
            let [upper, lower] = ["ALL_PROXY", "all_proxy"].map(|name| format!("{name}={expected}"));
            assert_eq!(changed, environment(&[&lower, "A=1", &upper]));
            remove_inherited(&mut changed);
            assert_eq!(changed.get("ALL_PROXY").is_none(), scope != Scope::None);
        }
        let mut others = environment(&["ALL_PROXY=socks5h://me:uwt-@127.0.0.1:9050"]);
        remove_inherited(&mut others);
        assert!(others.get("ALL_PROXY").is_some(), "somebody else's proxy");
    }
}
