//! The trace's text, as Documentation/trace/ftrace.rst of the kernel describes it.

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A system call of this number begins.
    Enter(i64),
    /// It has ended.
    Exit(i64),
    /// A page was missing.
    Fault,
}

/// One line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Event {
    /// Microseconds of some clock.
    pub(super) time: f64,
    pub(super) pid: i32,
    pub(super) what: What,
}

/// Every line that is such an event.
pub(super) fn parse(text: &str) -> Vec<Event> {
    text.lines().filter(|line| !line.starts_with('#')).filter_map(line).collect()
}

/// `    comm-PID   [000] ..... 24015.554502: sys_exit: NR 1 = 1`; the name may hold anything.
fn line(line: &str) -> Option<Event> {
    let (task, rest) = line.split_once(" [")?;
    let pid = task.trim_end().rsplit('-').next()?.parse().ok()?;
    let mut words = rest.split_ascii_whitespace().skip(2);
    let seconds: f64 = words.next()?.strip_suffix(':')?.parse().ok()?;
    let kind = words.next()?;
    let mut number = || words.find(|word| *word != "NR")?.parse().ok();
    let what = match kind {
        "sys_enter:" => What::Enter(number()?),
        "sys_exit:" => What::Exit(number()?),
        "page_fault_user:" => What::Fault,
        _ => return None,
    };
    Some(Event { time: seconds * 1e6, pid, what })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_trace() {
        let text = "# tracer: nop\n#\n\
            \x20           true-19196   [000] ..... 24015.500000: sys_enter: NR 435 (7fff43222470, 58, 7f, 8, 7f, 0)\n\
            \x20       my-prog x-7       [001] d.... 24015.500001: page_fault_user: address=0x7f ip=0x7f error_code=0x6\n\
            \x20         <...>-123456  [001] ..... 24015.500002: sys_exit: NR 59 = -2\n\
            \x20         uwt-19196   [000] d..2. 24015.554571: sched_switch: prev_comm=x prev_pid=1\n\
            nonsense\n";
        let found = parse(text);
        let kinds: Vec<_> = found.iter().map(|event| (event.pid, event.what)).collect();
        assert_eq!(kinds, [(19196, What::Enter(435)), (7, What::Fault), (123_456, What::Exit(59))]);
        assert!((found[2].time - found[0].time - 2.0).abs() < 0.01, "{found:?}");
    }
}
