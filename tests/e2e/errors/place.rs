//! Where the clients run: a workstation, and gateways that refuse and misbehave.

use std::fs;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrIn, bind, getsockname, socket};
use support::gateway::{Gateway as Mock, GatewayOptions, Outcome, Request, Service};
use support::lab::Lab;
use support::netns::{GATEWAY_V4, Workstation};
use support::programs::{ERRORS, make_all};
use tempfile::TempDir;

use crate::clients::{Client, Setting, Table};
use crate::rows::{Gateway, ROWS};

/// Seconds until timeout(1) ends a client; none takes longer on any machine.
const LIMIT: &str = "60";
/// The sessions' time limit in seconds: where an answer comes, and where none does.
const PATIENT: u16 = 30;
const IMPATIENT: u16 = 1;
/// How many clients run at the same time: some of them only wait.
const WORKERS: usize = 6;

/// A cell: the number of its row and of its column, and what was seen.
pub(crate) type Cell = (usize, usize, String);

/// The place of one table.
pub(crate) struct Place {
    table: &'static Table,
    lab: Lab,
    /// Dropped before the workstation, for which they have last words.
    stations: Vec<Station>,
    workstation: Workstation,
    folder: PathBuf,
    config: TempDir,
}

/// Rows that share a gateway.
struct Station {
    /// Their numbers.
    rows: Vec<usize>,
    port: Port,
}

/// What is at a port of the gateway.
enum Port {
    Mock(Mock),
    /// A socket that does not listen: nothing else can be there.
    Absent(u16, #[expect(dead_code, reason = "held for its port")] OwnedFd),
}

impl Port {
    fn number(&self) -> u16 {
        match self {
            Self::Mock(mock) => mock.address().port(),
            Self::Absent(port, _) => *port,
        }
    }

    /// What it was asked.
    fn log(&self) -> Vec<Request> {
        match self {
            Self::Mock(mock) => mock.log(),
            Self::Absent(..) => Vec::new(),
        }
    }
}

/// The name by which a row's gateway is asked.
fn host(row: usize) -> String {
    format!("row{row}.errors.test")
}

/// The same as an address.
fn host6(row: usize) -> String {
    format!("2001:db8::{row:x}")
}

impl Place {
    /// With a gateway for each kind of row.
    pub(crate) fn new(table: &'static Table) -> Self {
        let lab = Lab::attach();
        // The library beside `uwt` is to be the one built with it.
        let _ = (lab.uwt(), lab.preload());
        let workstation = lab.private_workstation();
        let numbers: Vec<usize> = (0..ROWS.len()).collect();
        // A gateway refuses each host in its own way, and misbehaves in one.
        let alike = |a: &usize, b: &usize| {
            let codes = [a, b].iter().all(|row| matches!(ROWS[**row].gateway, Gateway::Refuses(_)));
            codes && ROWS[*a].options == ROWS[*b].options
        };
        let station = |rows: &[usize]| {
            let port = open(&lab, rows, table.optimistic);
            workstation.allow_gateway_port(port.number()).expect("nft");
            Station { rows: rows.to_vec(), port }
        };
        let stations = numbers.chunk_by(alike).map(station).collect();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("errors");
        make_all(&ERRORS, &folder).unwrap_or_else(|error| panic!("{error:#}"));
        let config = tempfile::Builder::new().prefix("uwt-errors-").tempdir().expect("a folder");
        Self { table, lab, stations, workstation, folder, config }
    }

    /// Every cell of the table.
    pub(crate) fn run(&self) -> Vec<Cell> {
        let mut settings: Vec<Setting> = self.table.columns.iter().map(|column| column.1).collect();
        settings.dedup();
        let jobs: Vec<_> =
            self.stations.iter().flat_map(|station| settings.iter().map(move |setting| (station, *setting))).collect();
        let next = AtomicUsize::new(0);
        let work = || {
            let mut cells = Vec::new();
            while let Some((station, setting)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                cells.extend(self.run_one(station, *setting));
            }
            cells
        };
        thread::scope(|scope| {
            let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
            workers.into_iter().flat_map(|worker| worker.join().expect("a worker")).collect()
        })
    }

    /// The cells of one run.
    fn run_one(&self, station: &Station, setting: Setting) -> Vec<Cell> {
        let Table { client, columns, .. } = self.table;
        let columns = columns.iter().enumerate().filter(|(_, column)| column.1 == setting);
        let cells: Vec<(usize, usize, &str, String)> = columns
            .flat_map(|(number, (_, _, way))| {
                let target = if way.ends_with('6') { host6 } else { host };
                station.rows.iter().map(move |row| (*row, number, *way, target(*row)))
            })
            .collect();
        let pairs: Vec<(&str, &str)> = cells.iter().map(|(_, _, way, target)| (*way, target.as_str())).collect();
        let mut words = client.command(setting, &self.folder.display().to_string(), &pairs);
        if *client == Client::Curl && setting == Setting::Shipped {
            // It asks the gateway itself, by its own time limit.
            words.extend(["--connect-timeout".to_owned(), timeout(station).to_string()]);
        }
        let output = self.command(station, setting, &words).output().expect("started");
        let text = String::from_utf8_lossy(&output.stdout);
        let said = client.read(&text);
        let result = |way: &str, target: &str| {
            let mut found = said.iter().filter(|said| (said.0, said.1) == (way, target));
            found.next().map(|said| said.2.clone())
        };
        cells
            .iter()
            .map(|(row, column, way, target)| {
                // What went wrong otherwise is more help than an empty cell.
                let nothing = || format!("nothing: {}", String::from_utf8_lossy(&output.stderr).replace('\n', "; "));
                (*row, *column, result(way, target).unwrap_or_else(nothing))
            })
            .collect()
    }

    /// A client below `uwt`.
    fn command(&self, station: &Station, setting: Setting, words: &[String]) -> Command {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let first = &ROWS[station.rows[0]];
        let config = self.config.path().join(COUNT.fetch_add(1, Ordering::Relaxed).to_string());
        fs::create_dir(&config).expect("a folder");
        if setting == Setting::Shipped {
            let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../etc/uwt.d/30_default.toml");
            fs::copy(shipped, config.join("30_default.toml")).expect("the shipped configuration");
        }
        let lines = [
            format!("gateway = \"{GATEWAY_V4}\""),
            format!("port = {}", station.port.number()),
            format!("connect_timeout = {}", timeout(station)),
            format!("optimistic = {}", self.table.optimistic),
            "guard = \"tunnel\"".to_owned(),
        ];
        fs::write(config.join("50_test.toml"), lines.join("\n")).expect("written");
        let mut command = self.workstation.command("/usr/bin/timeout");
        command.arg(LIMIT).arg(self.lab.uwt()).args(first.options).arg("--").args(words);
        command.env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C").env("HOME", "/nonexistent");
        // On a busy machine a name server of the cage may need longer than the workstation's file allows it.
        command.env("RES_OPTIONS", "timeout:30");
        command.env("UWT_CONFIG_PATH", config).current_dir("/").stdin(Stdio::null());
        command
    }

    /// Nothing went past the gateways, which were asked for all that they refuse.
    #[track_caller]
    pub(crate) fn assert_carried(&self) {
        for station in &self.stations {
            let log = station.port.log();
            for row in &station.rows {
                if let Gateway::Refuses(code) = ROWS[*row].gateway {
                    let refused = log
                        .iter()
                        .any(|request| (&request.host, &request.outcome) == (&host(*row), &Outcome::Refused(code)));
                    assert!(refused, "{}: {log:#?}", ROWS[*row].name);
                }
            }
        }
        self.workstation.assert_no_leaks();
    }
}

/// The session's time limit in seconds.
fn timeout(station: &Station) -> u16 {
    if ROWS[station.rows[0]].is_endless() { IMPATIENT } else { PATIENT }
}

/// The gateway of these rows.
fn open(lab: &Lab, rows: &[usize], awaits: bool) -> Port {
    let mut options = GatewayOptions::new();
    options.behaviour.await_data = awaits;
    for row in rows {
        match ROWS[*row].gateway {
            Gateway::Refuses(code) => options = options.refuse_host(&host(*row), code).refuse_host(&host6(*row), code),
            Gateway::Faulty(fault) => options = options.fault(fault).service(Service::Echo),
            Gateway::Absent => {
                let (port, held) = lab.gateway().run(|| Ok(closed()?)).expect("a socket");
                return Port::Absent(port, held);
            }
        }
    }
    Port::Mock(lab.mock_gateway(options))
}

/// A port of the gateway where nothing listens.
fn closed() -> nix::Result<(u16, OwnedFd)> {
    use std::os::fd::AsRawFd as _;
    let held = socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
    bind(held.as_raw_fd(), &SockaddrIn::from(std::net::SocketAddrV4::new(GATEWAY_V4, 0)))?;
    let address: SockaddrIn = getsockname(held.as_raw_fd())?;
    Ok((address.port(), held))
}
