//! Steps with a body: what is run elsewhere, in a child, in threads, in a signal handler.

use std::cell::UnsafeCell;
use std::collections::BTreeMap;
use std::sync::Mutex;

use crate::libc_calls::call;
use crate::report::{self, status};
use crate::script::{Done, State, Step, int, parse, run as run_steps, unparse};
use crate::{exec, signals};

/// Whether a step has a body.
pub(crate) fn has_body(name: &str) -> bool {
    matches!(name, "fork" | "child" | "repeat" | "clone" | "threads" | "handler" | "jump" | "spawn" | "shell")
}

/// Runs such a step.
pub(crate) fn run(state: &mut State, name: &str, arguments: &[&str], body: &[Step<'_>]) -> Option<String> {
    match (name, arguments) {
        ("fork", []) => forked(state, body, || call!(libc::fork())),
        ("child", []) => beside(state, body),
        ("repeat", [count]) => {
            (0..int(count)).for_each(|_| run_steps(state, body));
            None
        }
        ("clone", []) => forked(state, body, || {
            let child = call!(libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0));
            i32::try_from(child).expect("a pid")
        }),
        ("threads", [count]) => Some(threads(state, int(count), body)),
        ("handler", []) => in_handler(state, body),
        ("jump", [milliseconds]) => Some(jump(state, int(milliseconds), body)),
        ("spawn", [function, environment, rest @ ..]) => exec::spawn(function, environment, rest, &unparse(body)),
        ("shell", [function]) => Some(exec::shell(function, &unparse(body))),
        _ => panic!("no such block: {name} {arguments:?}"),
    }
}

/// The body runs in a child; the parent waits for it.
fn forked(state: &mut State, body: &[Step<'_>], fork: impl Fn() -> i32) -> Option<String> {
    let child = fork();
    if child == 0 {
        run_steps(state, body);
        call!(libc::_exit(0));
    }
    if child < 0 { Some(status(-1)) } else { wait(child) }
}

/// The body runs in a child, and the script goes on; `join` waits for all of them.
fn beside(state: &mut State, body: &[Step<'_>]) -> Option<String> {
    let child = call!(libc::fork());
    if child == 0 {
        run_steps(state, body);
        call!(libc::_exit(0));
    }
    state.children.push(child);
    (child < 0).then(|| status(-1))
}

/// Waits for a child; says something unless it exited with 0.
pub(crate) fn wait(child: i32) -> Option<String> {
    let mut result = 0;
    while call!(libc::waitpid(child, &raw mut result, 0)) < 0 {
        assert_eq!(report::errno(), libc::EINTR, "waitpid");
    }
    ended(result)
}

/// What a wait status says, unless it is exit status 0.
pub(crate) fn ended(result: i32) -> Option<String> {
    if libc::WIFSIGNALED(result) {
        return Some(format!("killed by signal {}", libc::WTERMSIG(result)));
    }
    let code = libc::WEXITSTATUS(result);
    (code != 0).then(|| format!("exit status {code}"))
}

/// The lines of a body that runs in a thread.
static LINES: Mutex<BTreeMap<String, u32>> = Mutex::new(BTreeMap::new());

/// The body's steps in many threads at once; tells how many gave the same result for all of them.
///
/// Only the steps of sockets are of use here: each thread has descriptors of its own.
fn threads(state: &State, count: i32, body: &[Step<'_>]) -> String {
    let text = unparse(body);
    let barrier = std::sync::Barrier::new(usize::try_from(count).expect("positive"));
    std::thread::scope(|scope| {
        for _ in 0..count {
            scope.spawn(|| {
                let mut state = state.clone();
                let steps = parse(&text);
                barrier.wait();
                let lines: Vec<String> = steps
                    .iter()
                    .filter_map(|step| {
                        let (name, arguments) = (step[0], &step[1..]);
                        let done = crate::socket::step(&mut state, name, arguments);
                        let done = done.or_else(|| crate::send::step(&mut state, name, arguments));
                        let done = done.or_else(|| crate::ready::step(&mut state, name, arguments));
                        match done.or_else(|| crate::names::step(&mut state, name, arguments)) {
                            Some(Done::Line(line)) => Some(line),
                            Some(Done::Quiet) => None,
                            None => panic!("no step of a socket: {name}"),
                        }
                    })
                    .collect();
                *LINES.lock().expect("no panic").entry(lines.join(" ")).or_default() += 1;
            });
        }
    });
    let lines = std::mem::take(&mut *LINES.lock().expect("no panic"));
    lines.iter().map(|(line, count)| format!("{count} × {line}")).collect::<Vec<_>>().join(", ")
}

/// What a handler or another stack works on: it gets no arguments.
struct Task(UnsafeCell<Option<(State, String)>>);

// SAFETY: set before the signal is raised or the stack is switched, by the same thread.
unsafe impl Sync for Task {}

static TASK: Task = Task(UnsafeCell::new(None));

extern "C" fn task(_signal: i32) {
    // SAFETY: nobody else runs: the thread that set it waits for us.
    let task = unsafe { (*TASK.0.get()).as_mut() };
    let (state, text) = task.expect("a task");
    run_steps(state, &parse(text));
}

fn set_task(task: Option<(State, String)>) -> Option<(State, String)> {
    // SAFETY: no handler runs now.
    unsafe { std::mem::replace(&mut *TASK.0.get(), task) }
}

/// The body runs in the handler of a signal that the program sends itself.
fn in_handler(state: &mut State, body: &[Step<'_>]) -> Option<String> {
    set_task(Some((state.clone(), unparse(body))));
    signals::handle(task, 0);
    call!(libc::raise(libc::SIGALRM));
    *state = set_task(None).expect("still there").0;
    None
}

/// The two sides of a jump.
struct Contexts(UnsafeCell<Option<[Box<libc::ucontext_t>; 2]>>);

// SAFETY: used by the main thread and its signal handler only.
unsafe impl Sync for Contexts {}

static CONTEXTS: Contexts = Contexts(UnsafeCell::new(None));

extern "C" fn on_other_stack() {
    task(0);
}

extern "C" fn leave(_signal: i32) {
    // SAFETY: set before the timer; does not come back.
    unsafe {
        let contexts = (*CONTEXTS.0.get()).as_ref().expect("set");
        setcontext(&raw const *contexts[0]);
    }
}

unsafe extern "C" {
    fn getcontext(context: *mut libc::ucontext_t) -> i32;
    fn setcontext(context: *const libc::ucontext_t) -> i32;
    fn swapcontext(from: *mut libc::ucontext_t, to: *const libc::ucontext_t) -> i32;
    fn makecontext(context: *mut libc::ucontext_t, function: extern "C" fn(), count: i32, ...);
}

/// The body runs until a signal handler jumps out of it, as siglongjmp(3) does: the call it was in never returns.
fn jump(state: &State, milliseconds: i32, body: &[Step<'_>]) -> String {
    let stack = vec![0_u8; 1 << 20];
    set_task(Some((state.clone(), unparse(body))));
    signals::handle(leave, libc::SA_NODEFER);
    // SAFETY: contexts and stack live until the timer is off again, after which nobody switches.
    unsafe {
        let mut contexts: [Box<libc::ucontext_t>; 2] = [Box::new(std::mem::zeroed()), Box::new(std::mem::zeroed())];
        assert_eq!(getcontext(&raw mut *contexts[1]), 0);
        contexts[1].uc_stack.ss_sp = stack.as_ptr().cast_mut().cast();
        contexts[1].uc_stack.ss_size = stack.len();
        makecontext(&raw mut *contexts[1], on_other_stack, 0);
        let (main, other) = (&raw mut *contexts[0], &raw const *contexts[1]);
        *CONTEXTS.0.get() = Some(contexts);
        signals::timer(milliseconds);
        swapcontext(main, other);
    }
    signals::timer(0);
    "jumped".to_owned()
}
