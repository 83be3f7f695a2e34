//! What the gateway answers, read exactly: the byte behind the reply is the program's.
//!
//! To a pipelined handshake Tor gives one of these (seen with Tor 0.4.9; `¦` separates messages):
//!
//! | offered    | all at once (A)    | method reply left out (B) | refused before anything else was sent |
//! |------------|--------------------|---------------------------|---------------------------------------|
//! | `UserPass` | `05 02 ¦ 01 00 ¦ 05 …` | `01 00 ¦ 05 …`            | `05 REP 00 …` or `05 02 ¦ 05 REP 00 …` |
//! | `None`     | `05 00 ¦ 05 …`     | `05 REP 00 …`             | `05 REP 00 …`                         |
//!
//! The third byte tells a method reply from a request reply: there the next message starts (01 or 05), here the
//! reserved zero follows. With a credential a grant counts only after `01 00`: otherwise nothing says that it was used.

use crate::answer::{Answer, Name};
use crate::code::ReplyCode;
use crate::error::{Error, Stage};
use crate::{ATYP_NAME, ATYP_V4, ATYP_V6, AUTH_VERSION, METHOD_NONE, METHOD_NOT_ACCEPTABLE, METHOD_USER_PASS, VERSION};

/// What the gateway decided.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "there is no allocator to box with; one per handshake")]
#[must_use]
pub enum Outcome {
    /// The request is granted; from here on the stream is the program's.
    Granted(Answer),
    /// The request is refused; never [`ReplyCode::Succeeded`]. The rest of the reply says nothing and is not read.
    Refused(ReplyCode),
}

/// How far the answer has come.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "there is no allocator to box with; one per handshake")]
#[must_use]
pub enum Progress {
    /// Not complete: read up to [`Reply::needed`] bytes more.
    More,
    /// Complete.
    Done(Outcome),
}

/// Where in the answer the next byte belongs.
#[derive(Clone, Copy, Debug)]
enum State {
    /// Nothing has come.
    Start,
    /// `05`: a method or a reply code follows.
    MethodOrCode,
    /// `05 x`: what follows tells what x was.
    AfterMethodOrCode(u8),
    /// `01`: the status of the credentials follows.
    AuthStatus,
    /// `05 02 05`: the credentials were not answered, so only a refusal can follow.
    RefusalCode,
    /// The request reply, byte by byte (RFC 1928 §6).
    Version,
    Code,
    Reserved,
    AddressType,
    NameLength,
    /// This many bytes of an address of this type, then the port, are missing.
    V4 {
        missing: u8,
    },
    V6 {
        missing: u8,
    },
    Name {
        missing: u8,
    },
    Port {
        high: Option<u8>,
        kind: Kind,
    },
    /// Done or failed.
    Over,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    V4,
    V6,
    Name,
}

/// Reads the answer to one [`Request`](crate::Request), from [`Request::reply`](crate::Request::reply).
#[derive(Clone, Debug)]
pub struct Reply {
    state: State,
    with_credential: bool,
    // Address bytes of any type; its length is where the next one goes.
    address: Name,
}

/// Bytes of the shortest granted request reply from its version on: VER REP RSV ATYP, an empty name, port.
const SHORTEST: usize = 4 + 1 + 2;

impl Reply {
    pub(crate) const fn new(with_credential: bool) -> Self {
        Self { state: State::Start, with_credential, address: Name::EMPTY }
    }

    /// How many bytes may be read now without touching what follows a granted reply: the shortest way to its end.
    /// At least 1 until the answer is complete, then 0.
    #[must_use]
    pub fn needed(&self) -> usize {
        match self.state {
            State::Start | State::AfterMethodOrCode(METHOD_USER_PASS) if self.with_credential => 2 + SHORTEST,
            State::Start | State::Version => SHORTEST,
            State::MethodOrCode if self.with_credential => 3 + SHORTEST,
            State::MethodOrCode | State::Code => SHORTEST - 1,
            State::AfterMethodOrCode(METHOD_NONE) | State::Reserved => SHORTEST - 2,
            State::AuthStatus => 1 + SHORTEST,
            State::AddressType => SHORTEST - 3,
            State::NameLength => SHORTEST - 4,
            State::V4 { missing } | State::V6 { missing } | State::Name { missing } => {
                usize::from(missing).saturating_add(2)
            }
            State::Port { high: None, .. } => 2,
            // In the first two only a refusal can follow, which the next byte makes certain.
            State::AfterMethodOrCode(_) | State::RefusalCode | State::Port { high: Some(_), .. } => 1,
            State::Over => 0,
        }
    }

    /// Takes bytes the gateway sent, at most [`needed`](Self::needed). An empty slice changes nothing (the end of file
    /// is [`eof`](Self::eof)). A refusal is reported with the byte that makes it certain; bytes behind it are ignored.
    ///
    /// # Errors
    /// [`Error`] when the answer is not SOCKS5 as we asked for it; nothing was granted then.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Progress, Error> {
        if matches!(self.state, State::Over) || bytes.len() > self.needed() {
            self.state = State::Over;
            return Err(Error::Misuse);
        }
        for byte in bytes {
            let outcome = match self.step(*byte) {
                Ok(Step::Next(state)) => {
                    self.state = state;
                    continue;
                }
                Ok(Step::Refused(code)) => Ok(Outcome::Refused(code)),
                Ok(Step::Granted(kind, port)) => self.answer(kind, port).map(Outcome::Granted),
                Err(error) => Err(error),
            };
            self.state = State::Over;
            return outcome.map(Progress::Done);
        }
        Ok(Progress::More)
    }

    /// The gateway closed the connection (or it broke): which error that is, at this point of the answer.
    pub fn eof(&self) -> Error {
        match self.state {
            State::Start | State::MethodOrCode => Error::Eof(Stage::Method),
            State::AfterMethodOrCode(method) if method == self.method() => {
                Error::Eof(if self.with_credential { Stage::Auth } else { Stage::Reply })
            }
            State::AfterMethodOrCode(method) => Error::WrongMethod(method),
            State::AuthStatus => Error::Eof(Stage::Auth),
            State::Over => Error::Misuse,
            _ => Error::Eof(Stage::Reply),
        }
    }

    const fn method(&self) -> u8 {
        if self.with_credential { METHOD_USER_PASS } else { METHOD_NONE }
    }

    fn step(&mut self, byte: u8) -> Result<Step, Error> {
        Ok(Step::Next(match self.state {
            State::Start => match byte {
                VERSION => State::MethodOrCode,
                AUTH_VERSION if self.with_credential => State::AuthStatus,
                _ => return Err(Error::Version(byte)),
            },
            State::MethodOrCode => match byte {
                METHOD_NOT_ACCEPTABLE => return Err(Error::NoAcceptableMethod),
                // Neither the method we asked for nor a refusal: the credential would be lost.
                METHOD_NONE if self.with_credential => return Err(Error::WrongMethod(byte)),
                _ => State::AfterMethodOrCode(byte),
            },
            State::AfterMethodOrCode(value) => return self.after_method_or_code(value, byte),
            State::AuthStatus => match byte {
                0 => State::Version,
                _ => return Err(Error::AuthRefused(byte)),
            },
            State::RefusalCode => match ReplyCode::from_byte(byte) {
                ReplyCode::Succeeded => return Err(Error::AuthSkipped),
                code => return Ok(Step::Refused(code)),
            },
            State::Version => match byte {
                VERSION => State::Code,
                _ => return Err(Error::Version(byte)),
            },
            State::Code => match ReplyCode::from_byte(byte) {
                ReplyCode::Succeeded => State::Reserved,
                code => return Ok(Step::Refused(code)),
            },
            State::Reserved => match byte {
                0 => State::AddressType,
                _ => return Err(Error::Reserved(byte)),
            },
            State::AddressType => match byte {
                ATYP_V4 => State::V4 { missing: 4 },
                ATYP_V6 => State::V6 { missing: 16 },
                ATYP_NAME => State::NameLength,
                _ => return Err(Error::AddressType(byte)),
            },
            State::NameLength => match byte {
                0 => State::Port { high: None, kind: Kind::Name },
                missing => State::Name { missing },
            },
            State::V4 { missing } => self.address_byte(byte, missing, Kind::V4),
            State::V6 { missing } => self.address_byte(byte, missing, Kind::V6),
            State::Name { missing } => self.address_byte(byte, missing, Kind::Name),
            State::Port { high: None, kind } => State::Port { high: Some(byte), kind },
            State::Port { high: Some(high), kind } => {
                let port = u16::from_be_bytes([high, byte]);
                return Ok(Step::Granted(kind, port));
            }
            State::Over => return Err(Error::Misuse),
        }))
    }

    /// `05 value byte`: was `value` the method, or the code of a refusal that came instead of everything else?
    fn after_method_or_code(&self, value: u8, byte: u8) -> Result<Step, Error> {
        match (byte, self.with_credential) {
            // The reserved byte of a request reply: `value` is its code.
            (0, _) => match ReplyCode::from_byte(value) {
                ReplyCode::Succeeded => Ok(Step::Next(State::AddressType)),
                code => Ok(Step::Refused(code)),
            },
            _ if value != self.method() => Err(Error::WrongMethod(value)),
            (AUTH_VERSION, true) => Ok(Step::Next(State::AuthStatus)),
            (VERSION, true) => Ok(Step::Next(State::RefusalCode)),
            (_, true) => Err(Error::AuthVersion(byte)),
            (VERSION, false) => Ok(Step::Next(State::Code)),
            (_, false) => Err(Error::Version(byte)),
        }
    }

    fn address_byte(&mut self, byte: u8, missing: u8, kind: Kind) -> State {
        self.address.push(byte);
        match (missing.saturating_sub(1), kind) {
            (0, kind) => State::Port { high: None, kind },
            (missing, Kind::V4) => State::V4 { missing },
            (missing, Kind::V6) => State::V6 { missing },
            (missing, Kind::Name) => State::Name { missing },
        }
    }

    fn answer(&self, kind: Kind, port: u16) -> Result<Answer, Error> {
        let bytes = self.address.as_bytes();
        match kind {
            Kind::V4 => bytes.try_into().map(|octets| Answer::v4(octets, port)),
            Kind::V6 => bytes.try_into().map(|octets| Answer::v6(octets, port)),
            Kind::Name => Ok(Answer::Name(self.address.clone(), port)),
        }
        // Cannot be: exactly 4 or 16 bytes were stored. Said without a panic.
        .map_err(|_| Error::Misuse)
    }
}

/// What one byte leads to.
enum Step {
    Next(State),
    Refused(ReplyCode),
    Granted(Kind, u16),
}
