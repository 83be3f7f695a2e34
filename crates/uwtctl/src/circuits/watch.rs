//! `uwtctl circuits --watch`: again and again, as they change.

use std::io::{self, ErrorKind, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use super::list::{Circuits, Memory};
use super::take;
use crate::answer::{Answer as _, Shown, Status, harmless};
use crate::control::Control;

/// Changes that come this closely together are shown as one.
const TOGETHER: Duration = Duration::from_millis(50);
/// But none is kept back longer than this.
const LONGEST: Duration = Duration::from_millis(500);
/// The cursor to the corner, and everything from there on erased (ECMA-48, CUP and ED).
const CLEAR: &str = "\x1b[H\x1b[J";

/// Shows each state until nobody reads any more, or ^C: on a terminal instead of the one before, and else as JSON, a line
/// each.
///
/// # Errors
/// The control port is of no use any more.
pub(super) fn run(control: &mut Control, memory: &mut Memory, shown: Shown) -> anyhow::Result<Status> {
    control.subscribe()?;
    let on_terminal = io::stdout().is_terminal() && shown != Shown::Json;
    let mut before: Option<Circuits> = None;
    loop {
        let now = take(control, memory)?;
        if before.as_ref() != Some(&now) {
            let text = if on_terminal {
                format!("{CLEAR}{}\n^C ends this.\n", shown.text(&now)?)
            } else {
                harmless(&serde_json::to_string(&now)?) + "\n"
            };
            match io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush()) {
                Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(now.status()),
                written => written?,
            }
            before = Some(now);
        }
        control.wait(None)?;
        let latest = Instant::now() + LONGEST;
        while Instant::now() < latest && control.wait(Some(TOGETHER))? {}
    }
}
