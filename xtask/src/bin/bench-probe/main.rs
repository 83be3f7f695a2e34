//! What `cargo xtask bench` runs under each variant: plain calls of the C library, timed from inside.

mod bulk;
mod calls;
mod cli;
mod crowd;
mod hold;
mod smaps;
mod socks;
mod via;

fn main() -> std::process::ExitCode {
    cli::run()
}
