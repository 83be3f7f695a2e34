//! Every function the preload replaces: what it carries, what it lets pass, what it refuses; and bad gateways, and
//! optimistic commands.

#[path = "hooks_site.rs"]
mod site;

#[path = "hooks_matrix.rs"]
mod matrix;
#[path = "hooks_matrix_exec.rs"]
mod matrix_exec;
#[path = "hooks_matrix_names.rs"]
mod matrix_names;
#[path = "hooks_matrix_socket.rs"]
mod matrix_socket;

#[path = "hooks_addresses.rs"]
mod addresses;
#[path = "hooks_addrinfo.rs"]
mod addrinfo;
#[path = "hooks_bind.rs"]
mod bind;
#[path = "hooks_connect.rs"]
mod connect;
#[path = "hooks_exec.rs"]
mod exec;
#[path = "hooks_fastopen.rs"]
mod fastopen;
#[path = "hooks_guarded.rs"]
mod guarded;
#[path = "hooks_hostent.rs"]
mod hostent;
#[path = "hooks_nameinfo.rs"]
mod nameinfo;
#[path = "hooks_names_mode.rs"]
mod names_mode;
#[path = "optimistic.rs"]
mod optimistic;
#[path = "hooks_process.rs"]
mod process;
#[path = "hooks_refused.rs"]
mod refused;
#[path = "hooks_resolver.rs"]
mod resolver;
#[path = "hooks_server.rs"]
mod server;
#[path = "hooks_syscall.rs"]
mod syscall;
#[path = "hooks_udp.rs"]
mod udp;
#[path = "hooks_waiting.rs"]
mod waiting;

#[path = "bad_gateway.rs"]
mod bad_gateway;
#[path = "bad_names.rs"]
mod bad_names;
