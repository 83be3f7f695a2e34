//! Programs that speak to the SocksPort themselves (`native` in uwt.d(5), or settings of their own), where there is a
//! report: their connections go through the helper, which hears what they ask for and with which credential.

mod said;

use std::io;
use std::net::SocketAddr;

use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpSocket, TcpStream};
use uwt_policy::Errno;
use uwt_report::{Happening, Layer, Outcome};
use uwt_socks5::{Command, ReplyCode};

use self::said::{Asked, Heard, read};
use crate::destination::shown;
use crate::dial::errno_of;
use crate::report::Witness;
use crate::shared::Shared;
use crate::tree::Process;

/// As much of each side is looked at, in bytes: the longest handshake has 1041.
const MOST: usize = 2048;
/// How much is read at a time.
const STEP: usize = 512;

/// A program's connection to the SocksPort.
#[derive(Debug)]
pub(crate) struct Native<'a> {
    process: &'a Process,
    shared: &'a Shared,
    /// Who has it: what reports what can't be understood.
    layer: Layer,
}

impl<'a> Native<'a> {
    /// That of a process which connects to `peer`, seen by `layer`; `None` where nobody wants to know what it says there,
    /// or where that is no SocksPort.
    pub(crate) fn of(process: &'a Process, peer: SocketAddr, layer: Layer, shared: &'a Shared) -> Option<Self> {
        let heard = shared.report.is_open() && SocketAddr::V4(process.session.gateway) == peer;
        heard.then_some(Self { process, shared, layer })
    }

    /// Connects to the SocksPort.
    ///
    /// # Errors
    /// The errno for the program, also reported.
    pub(crate) async fn connect(&self) -> Result<TcpStream, Errno> {
        let connected = async {
            let socket = TcpSocket::from_std_stream(self.shared.outside.stream(false)?.into());
            let stream = socket.connect(self.process.session.gateway.into()).await?;
            stream.set_nodelay(true)?;
            io::Result::Ok(stream)
        };
        connected.await.map_err(|error| {
            let errno = errno_of(&error);
            self.tell(self.direct(Some(errno.to_string())));
            errno
        })
    }

    /// Passes on what both sides say until it is known what was asked for and what was answered, and reports that. What is
    /// said behind it is left to be passed on.
    pub(crate) async fn hear(&self, program: &mut TcpStream, gateway: &mut TcpStream) {
        let (mut said, mut answered) = (Vec::new(), Vec::new());
        let heard = loop {
            let heard = read(&said, &answered);
            let is_all = !matches!(heard, Heard::More(_));
            let is_long = heard == Heard::More(None) && said.len().max(answered.len()) >= MOST;
            if is_all || is_long {
                break heard;
            }
            let by_program = tokio::select! {
                ready = program.readable() => ready.map(|()| true),
                ready = gateway.readable() => ready.map(|()| false),
                () = self.shared.activity.end_of_tree() => break heard,
            };
            let passed = match by_program {
                Ok(true) => pass(program, gateway, &mut said).await,
                Ok(false) => pass(gateway, program, &mut answered).await,
                Err(error) => Err(error),
            };
            // What follows meets the same end or error.
            if !matches!(passed, Ok(true)) {
                break read(&said, &answered);
            }
        };
        let told = match heard {
            Heard::All(asked, code) => self.asked(asked, outcome(code)),
            Heard::More(Some(asked)) => {
                let why = "the connection ended before the gateway answered".to_owned();
                self.asked(asked, Outcome::Failed { why })
            }
            Heard::More(None) | Heard::Other => None,
        };
        self.tell(told.unwrap_or_else(|| self.direct(None)));
    }

    /// What was asked for; `None` where it was with a credential that is not this process's: who else has that one is not
    /// known.
    fn asked(&self, asked: Asked, outcome: Outcome) -> Option<Happening> {
        let Asked { credential, command, destination } = asked;
        let credential = match credential {
            None => None,
            Some((username, password)) => {
                let own = self.process.credential(&destination.host, &self.shared.outside).ok()??;
                let is_own = (own.username().as_bytes(), own.password().as_bytes()) == (&*username, &*password);
                Some(own.label().to_owned()).filter(|_| is_own).map(Some)?
            }
        };
        let layer = Layer::Program;
        Some(match command {
            Command::Connect => Happening::Connection { layer, destination, credential, outcome },
            Command::Resolve | Command::ResolvePtr => {
                Happening::Lookup { layer, name: destination.host, credential, sent: true, outcome }
            }
        })
    }

    /// That it connected to the SocksPort is all that is known.
    fn direct(&self, failed: Option<String>) -> Happening {
        Happening::Local { layer: self.layer, destination: shown(self.process.session.gateway.into()), failed }
    }

    fn tell(&self, happening: Happening) {
        let witness = if self.layer == Layer::Relay { Witness::Preload } else { Witness::Guard };
        self.shared.happened_by(self.process, witness, || happening);
    }
}

/// Passes on what one side has said, and keeps as much of it as is looked at; `false` at its end.
async fn pass(from: &TcpStream, to: &mut TcpStream, kept: &mut Vec<u8>) -> io::Result<bool> {
    let mut buffer = [0; STEP];
    let read = match from.try_read(&mut buffer) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
        read => read?,
    };
    let bytes = buffer.get(..read).unwrap_or_default();
    let room = MOST.saturating_sub(kept.len()).min(read);
    kept.extend(bytes.get(..room).unwrap_or_default());
    to.write_all(bytes).await?;
    Ok(read > 0)
}

fn outcome(code: Option<ReplyCode>) -> Outcome {
    code.map_or(Outcome::Granted, |code| Outcome::Failed { why: code.text().to_owned() })
}
