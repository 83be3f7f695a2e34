//! The one list of Debian packages that the tasks need.

use Proof::{File, Include, Program};

/// The tasks, as far as they need different packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    /// Compiling and linking.
    Build,
    /// `cargo xtask demo`.
    Demo,
    /// `cargo xtask test` and `cargo xtask lab`.
    Test,
    /// `cargo xtask bench`.
    Bench,
    /// `cargo xtask deb`.
    Packaging,
}

/// What shows that a package's content is there, whoever installed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// A program in `PATH` or one of the sbin directories.
    Program(&'static str),
    /// A header below `/usr/include`.
    Include(&'static str),
    /// A file by its path.
    File(&'static str),
}

/// One package.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Package {
    /// Its Debian name.
    pub(crate) name: &'static str,
    /// What it must bring.
    pub(crate) proof: Proof,
    /// Who needs it.
    pub(crate) groups: &'static [Group],
    /// What for; shown when it is missing.
    pub(crate) purpose: &'static str,
}

const fn package(name: &'static str, proof: Proof, groups: &'static [Group], purpose: &'static str) -> Package {
    Package { name, proof, groups, purpose }
}

use Group::{Bench, Build, Demo, Packaging, Test};

#[cfg(target_arch = "x86_64")]
const FAKETIME: Proof = File("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1");
#[cfg(target_arch = "aarch64")]
const FAKETIME: Proof = File("/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1");

/// Every package. Python's own test-suite is missing here: its name depends on the release, see
/// [`super::testsuite`].
pub(crate) const PACKAGES: &[Package] = &[
    package("gcc", Program("cc"), &[Build], "links everything"),
    package("libc6-dev", Include("stdio.h"), &[Build], "the C library to link against"),
    package("musl-tools", Program("musl-gcc"), &[Build], "links the launcher, and leak programs with another libc"),
    package("binutils", Program("nm"), &[Build], "nm and readelf: what the preload exports and needs"),
    package("tor", Program("tor"), &[Demo, Test], "the private Tor network"),
    package("curl", Program("curl"), &[Demo, Test, Bench], "a client"),
    package("nftables", Program("nft"), &[Test], "leak counters"),
    package("iproute2", Program("ip"), &[Test], "network namespaces"),
    package("wget", Program("wget"), &[Test], "a client"),
    package("git", Program("git"), &[Build, Test], "a client, its server, and the list of tracked files for tidy"),
    package("openssh-client", Program("ssh"), &[Test], "a client"),
    package("openssh-server", Program("sshd"), &[Test], "what ssh and git connect to"),
    package("gnupg", Program("gpg"), &[Test], "a client"),
    package("dirmngr", Program("dirmngr"), &[Test], "fetches keys for gpg"),
    package("netcat-openbsd", Program("nc.openbsd"), &[Test], "a client"),
    package("perl", Program("perl"), &[Test], "a client"),
    package("nodejs", Program("node"), &[Test], "a client"),
    package("python3", Program("python3"), &[Test, Bench], "a client, with asyncio for the bench"),
    package("apt", Program("apt-get"), &[Test], "a client"),
    package("util-linux", Program("setpriv"), &[Test, Bench, Packaging], "other users and namespaces"),
    package("bash", Program("bash"), &[Test], "what the legacy configuration is compared with; completes commands"),
    package("bash-completion", File("/usr/share/bash-completion/bash_completion"), &[Test], "completes commands"),
    package("fish", Program("fish"), &[Test], "completes commands"),
    package("zsh", Program("zsh"), &[Test], "completes commands"),
    package("man-db", Program("man"), &[Test], "shows the manual"),
    package("mandoc", Program("mandoc"), &[Test], "looks for mistakes in the manual"),
    package("gcc-multilib", Include("asm/types.h"), &[Test], "32-bit leak programs"),
    package("golang-go", Program("go"), &[Test], "a client without any libc"),
    package("busybox-static", Program("busybox"), &[Test], "a static client"),
    package("bind9-dnsutils", Program("dig"), &[Test], "a client that asks name servers itself"),
    package("libcap2-bin", Program("setcap"), &[Test], "a client with file capabilities"),
    package("mmdebstrap", Program("mmdebstrap"), &[Test], "makes the Debian that packages are installed in"),
    package("libfaketime", FAKETIME, &[Test], "the clocks of time_privacy"),
    package("dpkg-dev", Program("dpkg-buildpackage"), &[Packaging], "makes the Debian packages"),
    package(
        "build-essential",
        File("/usr/share/build-essential/list"),
        &[Packaging],
        "what dpkg-buildpackage insists on",
    ),
    package("debhelper", Program("dh"), &[Packaging], "does what most packages need"),
    package("lintian", Program("lintian"), &[Packaging], "looks the Debian packages over"),
    package("xz-utils", Program("xz"), &[Packaging], "packs the source"),
    package("torsocks", Program("torsocks"), &[Test, Bench], "measured beside uwt, and whose options uwt understands"),
    package("proxychains4", Program("proxychains4"), &[Bench], "measured beside uwt"),
];
