//! From nothing to the first byte of an answer.

use anyhow::Result;

use super::DELAY;
use super::gateway::HOST;
use super::table::Table;
use super::variant::{OPTIMISTIC, PATIENT, PROXYCHAINS, TORSOCKS, UWT_TUNNEL};
use super::way::{CAGED, CAGED_OPTIMISTIC, Course, How, NATIVE, NATIVE_EARLY, rows};

/// The tables the figures look at.
pub(crate) const PROBE: &str = "first-byte";
pub(crate) const CURL: &str = "curl";

/// Milliseconds of a name, a connect and one byte there and back.
pub(super) fn probe(course: &Course<'_>) -> Result<Table> {
    let target = format!("{HOST}:80");
    let way = |name, how| course.connecting(name, how, &target, "byte", &[]);
    let ways = [
        way(NATIVE, How::Socks)?,
        way(NATIVE_EARLY, How::Early)?,
        way(UWT_TUNNEL, How::Connect)?,
        way(OPTIMISTIC, How::Connect)?,
        way(CAGED, How::Connect)?,
        way(CAGED_OPTIMISTIC, How::Connect)?,
        way(TORSOCKS, How::Connect)?,
        way(PROXYCHAINS, How::Connect)?,
    ];
    let samples = course.samples("first byte", &ways, |numbers| numbers[0] / 1e6)?;
    Ok(Table {
        key: PROBE,
        title: format!("First byte: getaddrinfo, connect, a byte there and back; a round trip takes {} ms", DELAY.as_millis()),
        unit: "ms",
        base: NATIVE,
        extra: Vec::new(),
        rows: rows(&ways, samples),
        notes: vec![
            "The gateway holds back its reply to CONNECT and the answer to each byte by a round trip, each counted from the \
             arrival of what it answers. *optimistic*: `optimistic = true` for this program, whose data goes out right \
             behind the CONNECT; what it saves is the wait for the reply."
                .to_owned(),
        ],
    })
}

/// Milliseconds until curl has the first byte of a page.
pub(super) fn curl(course: &Course<'_>) -> Result<Table> {
    let (page, proxy) = (format!("http://{HOST}/"), format!("socks5h://{}", course.setup.gateway));
    let plain =
        ["--disable", "--silent", "--show-error", "--output", "/dev/null", "--write-out", "%{time_starttransfer}"];
    let way = |name, more: &[&str]| course.way(name, &course.tools.curl, &[&plain, more, &[&page]].concat());
    let ways = [
        way(NATIVE, &["--proxy", &proxy])?,
        way(PATIENT, &[])?,
        way(OPTIMISTIC, &[])?,
        way(TORSOCKS, &[])?,
        way(PROXYCHAINS, &[])?,
    ];
    let samples = course.samples("curl", &ways, |numbers| numbers[0] * 1e3)?;
    Ok(Table {
        key: CURL,
        title: format!("First byte of a page fetched by curl; a round trip takes {} ms", DELAY.as_millis()),
        unit: "ms",
        base: NATIVE,
        extra: Vec::new(),
        rows: rows(&ways, samples),
        notes: vec![
            "curl's own `time_starttransfer`. *native SOCKS*: `curl --proxy socks5h://…`. The others know of no proxy; curl \
             connects without blocking."
                .to_owned(),
        ],
    })
}
