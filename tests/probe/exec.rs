//! The exec family, posix_spawn(3), shells, and the environment they get.

use std::ffi::{CString, c_char, c_void};

use crate::blocks::{ended, wait};
use crate::libc_calls::{call, function, named, text};
use crate::report::{self, name, status};
use crate::script::{Done, State, Step, bytes, option, unparse};

/// Runs a step of this family.
pub(crate) fn step(_state: &mut State, step: &str, arguments: &[&str]) -> Option<Done> {
    let line = match (step, arguments) {
        ("clearenv", []) => {
            call!(libc::clearenv());
            return Some(Done::Quiet);
        }
        ("setenv", [name, value]) => {
            let (name, value) = (text(*name), text(bytes(value)));
            call!(libc::setenv(name.as_ptr(), value.as_ptr(), 1));
            return Some(Done::Quiet);
        }
        ("env", [name]) => std::env::var(name).unwrap_or_else(|_| "unset".to_owned()),
        ("environ", []) => {
            let mut names: Vec<String> =
                std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned()).collect();
            names.sort();
            names.join(" ")
        }
        ("argc", []) => std::env::args_os().count().to_string(),
        ("pid", []) => call!(libc::syscall(libc::SYS_getpid)).eq(&std::process::id().into()).to_string(),
        ("uring", []) => {
            let mut room = [0_u64; 32];
            status(call!(libc::syscall(libc::SYS_io_uring_setup, 4, room.as_mut_ptr())))
        }
        ("number", [number]) => status(call!(libc::syscall(number.parse().expect("a number"), -1, 0, 0, 0, 0, 0))),
        ("sharedstack", []) => shared_memory_child(),
        ("sixth", []) => sixth_argument(),
        ("chroot", [path]) => {
            let path = text(bytes(path));
            status(call!(libc::chroot(path.as_ptr())).into())
        }
        ("chdir", [path]) => {
            let path = text(bytes(path));
            status(call!(libc::chdir(path.as_ptr())).into())
        }
        ("unlink", [path]) => {
            let path = text(bytes(path));
            status(call!(libc::unlink(path.as_ptr())).into())
        }
        _ => return None,
    };
    Some(Done::Line(line))
}

/// clone(2) with shared memory through syscall(2): the child comes back from that call on a stack of its own, where it
/// finds nothing but the address to return to.
fn shared_memory_child() -> String {
    extern "C" fn child() -> ! {
        // SAFETY: ends the child alone.
        unsafe {
            libc::syscall(libc::SYS_exit, 7);
        }
        unreachable!("exit came back");
    }
    let mut stack = vec![0_usize; 8192];
    // Where a called function finds its return address, the stack is not aligned (System V ABI).
    let top = stack.len() - 9 - stack.as_ptr().addr() / 8 % 2;
    stack[top] = child as *const () as usize;
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
    let pid = call!(libc::syscall(libc::SYS_clone, flags, &raw mut stack[top], 0, 0, 0));
    let mut result = 0;
    call!(libc::waitpid(i32::try_from(pid).expect("a pid"), &raw mut result, 0));
    if libc::WIFEXITED(result) { libc::WEXITSTATUS(result).to_string() } else { format!("wait status {result:#x}") }
}

/// mmap(2) takes six arguments; the last one is an offset that must be a multiple of the page size.
fn sixth_argument() -> String {
    let map = |offset: i64| {
        let fd = call!(libc::open(c"/proc/self/exe".as_ptr(), libc::O_RDONLY));
        call!(libc::syscall(libc::SYS_mmap, 0, 4096, libc::PROT_READ, libc::MAP_PRIVATE, fd, offset))
    };
    let refused = status(map(1));
    let (whole, later) = (map(0), map(4096));
    // SAFETY: two pages of our own program, mapped a moment ago.
    let differ = unsafe {
        let page = |at: i64| {
            std::slice::from_raw_parts(
                std::ptr::with_exposed_provenance::<u8>(usize::try_from(at).expect("an address")),
                4096,
            )
        };
        page(whole) != page(later)
    };
    if refused == "EINVAL" && differ { "ok".to_owned() } else { format!("{refused} {differ}") }
}

/// A program's arguments or environment as C wants them.
struct Array {
    _texts: Vec<CString>,
    pointers: Vec<*const c_char>,
}

impl Array {
    fn new(texts: Vec<CString>) -> Self {
        let mut pointers: Vec<_> = texts.iter().map(|text| text.as_ptr()).collect();
        pointers.push(std::ptr::null());
        Self { _texts: texts, pointers }
    }

    fn get(&self) -> *const *const c_char {
        self.pointers.as_ptr()
    }
}

/// `same`, `empty`, or `NAME=VALUE+…` and nothing else.
fn environment(word: &str) -> Array {
    Array::new(match word {
        "same" => std::env::vars_os()
            .map(|(name, value)| {
                let (name, value) = (name.into_encoded_bytes(), value.into_encoded_bytes());
                text([name, b"=".to_vec(), value].concat())
            })
            .collect(),
        "empty" => Vec::new(),
        list => list.split('+').map(|one| text(bytes(one))).collect(),
    })
}

/// What is executed: the program at `path=…` with the arguments behind it, else ourselves with the rest of the script.
fn target(options: &[&str], script: &str) -> (CString, Array) {
    let own = || std::env::current_exe().expect("a path").into_os_string().into_encoded_bytes();
    let path = text(option(options, "path").map_or_else(own, bytes));
    let words = match option(options, "count") {
        // So many arguments, and no script.
        Some(count) => vec![text(""); count.parse().expect("a number")],
        None => match options.iter().position(|word| *word == "--") {
            Some(at) => {
                [path.clone()].into_iter().chain(options[at + 1..].iter().map(|word| text(bytes(word)))).collect()
            }
            None => vec![path.clone(), text(script)],
        },
    };
    (path, Array::new(words))
}

/// Up to 295 arguments behind the five in registers: passed by value they lie on the stack as variable arguments do.
#[repr(C)]
#[derive(Clone, Copy)]
struct Pushed([*const c_char; 300]);

type Variadic = unsafe extern "C" fn(
    *const c_char,
    *const c_char,
    *const c_char,
    *const c_char,
    *const c_char,
    *const c_char,
    Pushed,
) -> i32;

/// Calls execl(3) or a relative with any number of arguments.
fn variadic(name: &str, path: &CString, arguments: &Array, environment: Option<&Array>) -> i32 {
    let mut all = arguments.pointers.clone();
    if let Some(environment) = environment {
        all.push(environment.get().cast());
    }
    all.resize(305, std::ptr::null());
    let mut pushed = Pushed([std::ptr::null(); 300]);
    pushed.0.copy_from_slice(&all[5..]);
    let found = function(name);
    call!({
        let function: Variadic = std::mem::transmute(found);
        function(path.as_ptr(), all[0], all[1], all[2], all[3], all[4], pushed)
    })
}

/// The step `exec FUNCTION ENVIRONMENT [path=…] [count=…] [-- ARGUMENTS]`: comes back with an error only.
pub(crate) fn exec(arguments: &[&str], rest: &[Step<'_>]) -> String {
    let [function, environment_word, options @ ..] = arguments else { panic!("exec FUNCTION ENVIRONMENT") };
    let (path, arguments) = target(options, &unparse(rest));
    let environment = environment(environment_word);
    let (at, argv, envp) = (path.as_ptr(), arguments.get(), environment.get());
    let done = match *function {
        "execve" => call!(libc::execve(at, argv, envp)),
        "execv" => call!(libc::execv(at, argv)),
        "execvp" => call!(libc::execvp(at, argv)),
        "execvpe" => call!(libc::execvpe(at, argv, envp)),
        "fexecve" => {
            let fd = call!(libc::open(at, libc::O_RDONLY | libc::O_CLOEXEC));
            call!(libc::fexecve(fd, argv, envp))
        }
        "execveat" => {
            let name = path.to_str().expect("text").rsplit_once('/').expect("a path");
            let (folder, name) = (text(name.0), text(name.1));
            let fd = call!(libc::open(folder.as_ptr(), libc::O_PATH | libc::O_CLOEXEC));
            named!(
                "execveat",
                fn(i32, *const c_char, *const *const c_char, *const *const c_char, i32) -> i32,
                (fd, name.as_ptr(), argv, envp, 0)
            )
        }
        "execveat-empty" => {
            let fd = call!(libc::open(at, libc::O_PATH | libc::O_CLOEXEC));
            named!(
                "execveat",
                fn(i32, *const c_char, *const *const c_char, *const *const c_char, i32) -> i32,
                (fd, c"".as_ptr(), argv, envp, libc::AT_EMPTY_PATH)
            )
        }
        "syscall" => i32::try_from(call!(libc::syscall(libc::SYS_execve, at, argv, envp))).unwrap_or(-1),
        "syscall-at" => {
            let call = call!(libc::syscall(libc::SYS_execveat, libc::AT_FDCWD, at, argv, envp, 0));
            i32::try_from(call).unwrap_or(-1)
        }
        "execle" => variadic(function, &path, &arguments, Some(&environment)),
        name @ ("execl" | "execlp") => variadic(name, &path, &arguments, None),
        other => panic!("no function {other}"),
    };
    assert_eq!(done, -1, "exec returned");
    name(report::errno())
}

/// The block `spawn FUNCTION ENVIRONMENT [path=…]`: a new program runs the body; waits for it.
pub(crate) fn spawn(function: &str, environment_word: &str, options: &[&str], script: &str) -> Option<String> {
    let (path, arguments) = target(options, script);
    let environment = environment(environment_word);
    let mut child = 0;
    let null = std::ptr::null::<c_void>();
    let code = named!(
        function,
        fn(*mut i32, *const c_char, *const c_void, *const c_void, *const *const c_char, *const *const c_char) -> i32,
        (&raw mut child, path.as_ptr(), null, null, arguments.get(), environment.get())
    );
    match code {
        0 if function.starts_with("pidfd") => {
            // The child is a descriptor (pidfd_open(2)).
            // SAFETY: a structure of numbers, for which zero is a value.
            let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
            let fd = libc::id_t::try_from(child).expect("a descriptor");
            status(call!(libc::waitid(libc::P_PIDFD, fd, &raw mut info, libc::WEXITED)).into());
            // SAFETY: waitid filled it in.
            let code = unsafe { info.si_status() };
            (code != 0).then(|| format!("exit status {code}"))
        }
        0 => wait(child),
        code => Some(name(code)),
    }
}

/// The block `shell FUNCTION`: a shell starts us again to run the body.
pub(crate) fn shell(function: &str, script: &str) -> String {
    assert!(!script.contains('\''), "the script stands between apostrophes");
    let own = std::env::current_exe().expect("a path");
    let line = text(format!("'{}' '{script}'", own.display()));
    match function {
        "system" => {
            let result = call!(libc::system(line.as_ptr()));
            if result < 0 { status(-1) } else { ended(result).unwrap_or_else(|| "ok".to_owned()) }
        }
        "popen" => {
            let stream = call!(libc::popen(line.as_ptr(), c"r".as_ptr()));
            if stream.is_null() {
                return status(-1);
            }
            let mut output = vec![0_u8; 4096];
            let read = call!(libc::fread(output.as_mut_ptr().cast(), 1, output.len(), stream));
            let result = call!(libc::pclose(stream));
            let output = String::from_utf8_lossy(&output[..read]).trim_end().replace('\n', "; ");
            ended(result).unwrap_or(output)
        }
        "wordexp" => {
            let words = text(format!("\"$({})\"", line.to_str().expect("text")));
            // wordexp_t: count, list, offset.
            let mut result = [0_usize; 3];
            let code = named!(
                "wordexp",
                fn(*const c_char, *mut c_void, i32) -> i32,
                (words.as_ptr(), result.as_mut_ptr().cast(), 0)
            );
            if code != 0 {
                return format!("WRDE {code}");
            }
            let list = std::ptr::with_exposed_provenance::<*const c_char>(result[1]);
            call!(std::ffi::CStr::from_ptr(*list)).to_string_lossy().replace('\n', "; ")
        }
        other => panic!("no function {other}"),
    }
}
