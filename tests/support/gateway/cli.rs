//! The command line of `lab-gateway`.

use std::num::NonZeroU32;
use std::process::ExitCode;
use std::str::FromStr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, Error, Result, anyhow, bail};

use super::{Form, Gateway, GatewayOptions, Service};

const USAGE: &str = "\
usage: lab-gateway [OPTIONS]
A SOCKS5 gateway for tests. It prints its address, then one line of JSON per request.
  --listen ADDRESS:PORT      where to listen (default 127.0.0.1:0; port 0: a free one)
  --delay MS                 wait before the answer to each CONNECT or RESOLVE
  --round-trip MS            how long the way to the far end and back takes: an answer to CONNECT, RESOLVE and to whatever
                             is sent comes so much after it arrived (early data: before the reply is there)
  --refuse CODE              answer every request with this code, e.g. 5 or 0xf2
  --refuse-host HOST=CODE    the same for one host (repeatable)
  --fault FAULT              misbehave: close-at-once, silent, garbage, no-auth, reject-methods, reject-auth,
                             close-before-reply, close-mid-reply, never, split
  --form rfc|tor             tor: leave out the method reply to pipelined clients
  --route HOST[:PORT]=ADDRESS:PORT   where CONNECTs for a host go (repeatable)
  --host NAME=ADDRESS        a name for RESOLVE, RESOLVE_PTR and CONNECT (repeatable)
  --echo | --discard | --source | --obey   every CONNECT succeeds and is served by the gateway itself
  --rate MB                  how many megabytes a second --discard and --source let through, on each connection
  --quiet                    no JSON
";

/// Runs the gateway until it is killed.
pub fn main(arguments: impl Iterator<Item = String>) -> ExitCode {
    match parse(arguments).and_then(serve) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("lab-gateway: {error:#}\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

/// Starts it and says where.
fn serve(options: GatewayOptions) -> Result<()> {
    let gateway = Gateway::start(options)?;
    println!("{}", gateway.address());
    gateway.wait();
    bail!("the gateway ended")
}

const MEGABYTE: NonZeroU32 = NonZeroU32::new(1_000_000).unwrap();

/// Options to settings.
fn parse(mut arguments: impl Iterator<Item = String>) -> Result<GatewayOptions> {
    let stdout = Arc::new(Mutex::new(std::io::stdout()));
    let mut options = GatewayOptions { keep_log: false, json: Some(stdout), ..GatewayOptions::new() };
    while let Some(option) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| anyhow!("{option} needs a value"));
        options = match option.as_str() {
            "--listen" => options.listen(read(&value()?)?),
            "--delay" => options.delay(Duration::from_millis(read(&value()?)?)),
            "--round-trip" => options.round_trip(Duration::from_millis(read(&value()?)?)),
            "--refuse" => options.refuse(code(&value()?)?),
            "--refuse-host" => {
                let value = value()?;
                let (host, number) = pair(&value)?;
                options.refuse_host(host, code(number)?)
            }
            "--fault" => options.fault(read(&value()?)?),
            "--form" => match value()?.as_str() {
                "rfc" => options.form(Form::Rfc),
                "tor" => options.form(Form::Tor),
                other => bail!("no form {other:?}; there are: rfc, tor"),
            },
            "--route" => {
                let value = value()?;
                let (from, to) = pair(&value)?;
                let (host, port) = match from.rsplit_once(':') {
                    Some((host, port)) => (host, read(port)?),
                    None => (from, 0),
                };
                options.route(host, port, read(to)?)
            }
            "--host" => {
                let value = value()?;
                let (name, address) = pair(&value)?;
                options.hosts.add(name, read(address)?);
                options
            }
            "--echo" => options.service(Service::Echo),
            "--discard" => options.service(Service::Discard),
            "--source" => options.service(Service::Source),
            "--obey" => options.service(Service::Obey),
            "--rate" => {
                let bytes = read::<NonZeroU32>(&value()?)?.checked_mul(MEGABYTE).context("at most 4294 MB/s")?;
                options.rate(bytes)
            }
            "--quiet" => GatewayOptions { json: None, ..options },
            other => bail!("unknown option {other:?}"),
        };
    }
    Ok(options)
}

/// `left=right`
fn pair(text: &str) -> Result<(&str, &str)> {
    text.split_once('=').with_context(|| format!("{text:?} is not of the form LEFT=RIGHT"))
}

/// A value of any type that can be read from text.
fn read<T: FromStr<Err: Into<Error>>>(text: &str) -> Result<T> {
    text.parse::<T>().map_err(Into::into).with_context(|| format!("cannot read {text:?}"))
}

/// A reply code, decimal or 0x….
fn code(text: &str) -> Result<u8> {
    let number = text.strip_prefix("0x").map_or_else(|| text.parse(), |digits| u8::from_str_radix(digits, 16));
    number.with_context(|| format!("{text:?} is no reply code"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(text: &str) -> Result<GatewayOptions> {
        parse(text.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn everything_at_once() {
        let options = options(
            "--listen 127.0.0.1:7 --delay 300 --round-trip 200 --refuse 0xF2 --refuse-host a.test=5 --fault never --form tor \
             --route b.test:80=127.0.0.1:8080 --route 203.0.113.1=127.0.0.1:1 --host c.test=10.0.0.1 --echo --rate 3 --quiet",
        )
        .expect("options");
        assert_eq!(options.listen.port(), 7);
        assert_eq!(options.behaviour.delay, Duration::from_millis(300));
        assert_eq!(options.behaviour.round_trip, Duration::from_millis(200));
        assert_eq!((options.behaviour.refuse, options.behaviour.refuse_hosts["a.test"]), (Some(0xf2), 5));
        assert_eq!(options.routes[&("b.test".to_owned(), 80)].port(), 8080);
        assert_eq!(options.routes[&("203.0.113.1".to_owned(), 0)].port(), 1);
        assert!(options.hosts.lookup("c.test").is_some());
        assert_eq!(options.rate.map(NonZeroU32::get), Some(3_000_000));
        assert!(options.json.is_none());
    }

    #[test]
    fn mistakes_are_named() {
        for bad in [
            "--delay",
            "--delay x",
            "--refuse 256",
            "--fault odd",
            "--route a",
            "--loud",
            "--form x",
            "--rate 0",
            "--rate 5000",
        ] {
            assert!(options(bad).is_err(), "{bad}");
        }
    }
}
