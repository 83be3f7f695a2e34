//! A Debian 12 with the packages in it, behind the lab's gateway.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use support::debian::{Debian, Network, Ran, Who};
use support::lab::Lab;
use support::netns::Workstation;

use crate::built::built;
use crate::flow::{self, Flow, Flows};

/// What makes a machine a Whonix-Workstation, whose gateway is 10.152.152.10.
pub(crate) const WORKSTATION: &str = "usr/share/anon-ws-base-files/workstation";

/// Installs the packages, without a network, as one does who has downloaded them.
pub(crate) fn install(debian: &Debian) -> Ran {
    for name in ["uwt", "uwt-wrappers"] {
        debian.write(&format!("root/packages/{name}.deb"), std::fs::read(built(name)).expect("a package"), 0o644);
    }
    debian.types(Who::Root, "apt-get install -qq ./packages/*.deb")
}

/// The packages, in what is a Whonix-Workstation otherwise. For copies.
fn installed() -> &'static Debian {
    static INSTALLED: OnceLock<Debian> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        let debian = Debian::fresh(Network::None);
        debian.write(WORKSTATION, "", 0o644);
        let ran = install(&debian);
        assert_eq!(ran.status, Some(0), "{ran:#?}");
        debian
    })
}

/// A Debian with the packages and nothing else: no network, and no Tor.
pub(crate) fn alone() -> Debian {
    let debian = installed().copy(Network::None);
    std::fs::remove_file(debian.path(WORKSTATION)).expect("removed");
    debian
}

/// Where a test types its commands.
pub(crate) struct Place {
    pub(crate) debian: Debian,
    pub(crate) workstation: Workstation,
    pub(crate) lab: Lab,
    flows: Flows,
    /// The credentials that were used so far.
    used: BTreeSet<String>,
}

/// How a line ended, and what Tor was asked for meanwhile.
#[derive(Debug)]
pub(crate) struct Typed {
    pub(crate) ran: Ran,
    flows: Vec<Flow>,
}

impl Place {
    /// A Whonix-Workstation with uwt as it is shipped, and the lab's mirror for its only source.
    pub(crate) fn workstation() -> Self {
        let lab = Lab::attach();
        let workstation = lab.private_workstation();
        let flows = Flows::watch(lab.control(), workstation.address());
        let debian = installed().copy(Network::Of(&workstation));
        debian.write("etc/apt/sources.list", "deb [trusted=yes] http://mirror.lab.test/debian lab main\n", 0o644);
        Self { debian, workstation, lab, flows, used: BTreeSet::new() }
    }

    /// A Debian with uwt, whose administrator has named this gateway.
    pub(crate) fn plain() -> Self {
        let place = Self::workstation();
        std::fs::remove_file(place.debian.path(WORKSTATION)).expect("removed");
        let (gateway, port) = (place.lab.socks().ip(), place.lab.socks().port());
        place.debian.write("etc/uwt.d/50_user.toml", format!("gateway = \"{gateway}\"\nport = {port}\n"), 0o644);
        place
    }

    /// Types a line and waits for its end. Not one packet may have left past the `SocksPort`; what Tor was asked for is
    /// found in its list of circuits, with credentials that no earlier line has used.
    #[track_caller]
    pub(crate) fn types(&mut self, who: Who, line: &str) -> Typed {
        let ran = self.debian.types(who, line);
        let flows = self.flows.take();
        self.flows.assert_listed(&flows);
        self.workstation.assert_no_leaks();
        let users: BTreeSet<String> = flows.iter().filter_map(|flow| flow.username.clone()).collect();
        assert!(self.used.is_disjoint(&users), "{line}: {flows:#?}");
        self.used.extend(users);
        Typed { ran, flows }
    }

    /// Types a line that goes past uwt, and whose request to this host so is on the open network.
    #[track_caller]
    pub(crate) fn types_unwrapped(&mut self, who: Who, line: &str, host: &str) -> Ran {
        let ran = self.debian.types(who, line);
        assert_eq!(self.flows.take(), [], "{line}");
        let leaks = self.workstation.leaks().expect("read the packet socket");
        let header = format!("Host: {host}");
        assert!(leaks.iter().any(|leak| leak.payload.contains(&header)), "{line}: {leaks:#?}");
        self.workstation.reset().expect("counters");
        ran
    }

    /// Gives the lab's key for ssh and its host keys to a user.
    pub(crate) fn with_ssh_keys(self, who: Who) -> Self {
        let (name, home) = who.name_and_home();
        let lab = self.lab.ssh_config();
        for (file, mode) in [("user_key", 0o600), ("known_hosts", 0o644)] {
            let text = std::fs::read(lab.with_file_name(file)).expect("the lab's ssh files");
            self.debian.write(&format!("{home}/.ssh/{file}"), text, mode);
        }
        let config = "User root\nIdentityFile ~/.ssh/user_key\nUserKnownHostsFile ~/.ssh/known_hosts\n";
        self.debian.write(&format!("{home}/.ssh/config"), config, 0o600);
        let owner = format!("{name}:{name}");
        assert_eq!(self.debian.run(["chown", "-R", &owner, &format!("{home}/.ssh")]).succeeded(), "");
        self
    }
}

impl Typed {
    /// It succeeded without a word of complaint, and asked Tor for these targets, in this order, each with a credential of
    /// ours. Gives its output.
    #[track_caller]
    pub(crate) fn asked_for(&self, targets: &[&str]) -> &str {
        assert_eq!((self.ran.status, self.ran.err.as_str()), (Some(0), ""), "{self:#?}");
        assert_eq!(self.targets(), targets, "{self:#?}");
        &self.ran.out
    }

    /// What Tor was asked for, each with a credential of ours.
    #[track_caller]
    pub(crate) fn targets(&self) -> Vec<&str> {
        flow::targets(&self.flows)
    }

    /// How many different credentials it had.
    pub(crate) fn credentials(&self) -> usize {
        self.flows.iter().map(|flow| &flow.username).collect::<BTreeSet<_>>().len()
    }
}
