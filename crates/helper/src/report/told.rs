//! What the preload tells of what it does itself.

use uwt_policy::Errno;
use uwt_report::{Destination, Happening, Layer, Outcome};
use uwt_session::report::{Deed, Told, Why};
use uwt_socks5::ReplyCode;

use super::{Witness, errno_name, transport_of};
use crate::shared::Shared;
use crate::tree::Process;

const NO_SOCKET: &str = "wanted a socket that Tor can't carry";

/// Writes what the preload of a process tells; the body of the reply. `None` for what is nothing that it would tell.
pub(crate) fn told(body: &[u8], process: Option<&Process>, shared: &Shared) -> Option<Vec<u8>> {
    let told = Told::parse(body)?;
    match (told.deed, process) {
        (Deed::Begun, Some(process)) => shared.began(process),
        (Deed::Stayed, Some(process)) => shared.stayed(process),
        (Deed::Begun | Deed::Stayed, None) => {}
        (deed, Some(process)) => {
            // Elsewhere it is the guard that refuses it, and says so.
            if deed == Deed::NoSocket && shared.say.is_verbose() {
                shared.say.refused(process, &format!("{NO_SOCKET}; refused"), &shared.outside);
            }
            shared.happened_by(process, Witness::Preload, || happening(&told));
        }
        (_, None) => shared.happened_somewhere(|| happening(&told)),
    }
    Some(Vec::new())
}

fn happening(told: &Told<'_>) -> Happening {
    let layer = Layer::Preload;
    let destination = || Destination { host: told.host.to_owned(), port: told.port };
    let credential = || Some(told.credential.to_owned()).filter(|label| !label.is_empty());
    let what = match told.deed {
        Deed::Connect => {
            let (destination, credential) = (destination(), credential());
            return Happening::Connection { layer, destination, credential, outcome: outcome(told.ended.why()) };
        }
        Deed::Resolve | Deed::ResolvePtr => {
            let (name, credential) = (told.host.to_owned(), credential());
            return Happening::Lookup { layer, name, credential, sent: true, outcome: outcome(told.ended.why()) };
        }
        Deed::Direct => return Happening::Local { layer, destination: destination(), failed: None },
        Deed::Listen => return Happening::Server { layer, address: destination() },
        // They are no events of their own, and do not get here.
        Deed::Begun | Deed::Stayed => "began",
        Deed::NoSocket => NO_SOCKET,
        Deed::NoConnect => "wanted to connect where Tor does not reach",
        Deed::NoSend => "wanted to send a datagram, which Tor can't carry",
        Deed::NoBind => "wanted to bind a socket that Tor can't carry",
        Deed::NoListen => "wanted to listen for connections from the network",
        Deed::NoOption => "wanted an option that would let a socket past uwt",
        Deed::NoRing => "wanted io_uring, which uwt can't see into",
        Deed::NoRemote => "wanted a function of the C library that connects by itself",
    };
    let socket = told.socket;
    Happening::Refused {
        layer,
        what: what.to_owned(),
        transport: match told.deed {
            Deed::NoRing => Some(uwt_report::Transport::IoUring),
            _ if socket.domain == 0 => None,
            _ => Some(transport_of(socket.domain, socket.kind, socket.protocol)),
        },
        destination: Some(destination()).filter(|destination| !destination.host.is_empty()),
        errno: match told.ended.why() {
            Some(Why::Errno(errno)) => errno_name(errno),
            Some(Why::Gateway(_)) | None => errno_name(Errno::EACCES),
        },
    }
}

fn outcome(why: Option<Why>) -> Outcome {
    let why = match why {
        None => return Outcome::Granted,
        Some(Why::Gateway(code)) => ReplyCode::from_byte(code).text().to_owned(),
        Some(Why::Errno(errno)) => errno.to_string(),
    };
    Outcome::Failed { why }
}
