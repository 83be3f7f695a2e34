//! Whether a process still runs.

use std::fs;

/// Whether the process of this id that started at this time (clock ticks since boot) still runs. One that has ended and was
/// not waited for does not.
pub(crate) fn is_running(pid: u32, start: u64) -> bool {
    let line = fs::read(format!("/proc/{pid}/stat")).unwrap_or_default();
    state_and_start(&line).is_some_and(|(state, of)| of == start && !matches!(state, "Z" | "X"))
}

/// The third field of proc_pid_stat(5), and the 22nd.
fn state_and_start(line: &[u8]) -> Option<(&str, u64)> {
    // The second field, the name in parentheses, may hold anything.
    let end = line.iter().rposition(|byte| *byte == b')')?;
    let mut fields = std::str::from_utf8(line.get(end + 1..)?).ok()?.split_ascii_whitespace();
    let state = fields.next()?;
    Some((state, fields.nth(22 - 4)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_known_by_its_start() {
        let own = std::process::id();
        let line = fs::read("/proc/self/stat").unwrap();
        let (_, start) = state_and_start(&line).unwrap();
        assert!(is_running(own, start));
        assert!(!is_running(own, start + 1));
    }

    #[test]
    fn names_may_hold_anything() {
        let line = b"7 (a) b (c) S 1 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4711 0 0";
        assert_eq!(state_and_start(line), Some(("S", 4711)));
        assert_eq!(state_and_start(b"7 (a) S 1"), None);
        assert_eq!(state_and_start(b""), None);
    }
}
