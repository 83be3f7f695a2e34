//! How long `uwtctl status` takes, which asks this machine many things.

use std::fs;

use anyhow::{Context, Result};

use super::startup::{Prepared, added, sample};
use super::table::{Row, Table};
use super::variant::{BARE, Setup};
use crate::interrupt::Interrupt;
use crate::workspace::Workspace;

/// The table.
pub(crate) const KEY: &str = "status";
/// All of it but what would be asked of the gateway, which takes as long as the gateway takes.
pub(crate) const OFFLINE: &str = "uwtctl status --offline";
/// The line for those who log in.
const NOTICE: &str = "uwtctl status --motd";

/// 1 is said of a machine on which something undermines isolation: it takes as long to find that there is nothing.
const ENDS: &[i32] = &[0, 1];

/// Measures it with the configuration that comes with uwt.
pub(super) fn measure(workspace: &Workspace, setup: &Setup, rounds: u32, interrupt: &Interrupt) -> Result<Table> {
    let folder = tempfile::Builder::new().prefix("uwt-bench-").tempdir().context("a temporary directory")?;
    let shipped = workspace.root.join("etc/uwt.d/30_default.toml");
    fs::copy(&shipped, folder.path().join("30_default.toml")).with_context(|| format!("{}", shipped.display()))?;
    let environment = &setup.variant(BARE)?.environment;
    let configured = [environment.clone(), vec![("UWT_CONFIG_PATH".into(), folder.path().into())]].concat();

    let uwtctl = workspace.bin_dir().join("uwtctl");
    let prepared = [
        Prepared::of_path(BARE, "/bin/true".as_ref(), environment)?,
        Prepared::of_path(OFFLINE, &uwtctl, &configured)?.saying(&["status", "--offline"], ENDS)?,
        Prepared::of_path(NOTICE, &uwtctl, &configured)?.saying(&["status", "--motd"], ENDS)?,
    ];
    let samples = sample(&prepared, "status", rounds, interrupt)?;
    let rows = added(&prepared, &samples).into_iter().zip(&prepared).zip(samples);
    let rows = rows.map(|((added, one), series)| Row { name: one.name, series, extra: vec![added] }).collect();
    Ok(Table {
        key: KEY,
        title: "What uwtctl knows of this machine, posix_spawn to wait".to_owned(),
        unit: "µs",
        base: BARE,
        extra: vec!["added µs"],
        rows,
        notes: vec![format!(
            "*{BARE}*: `/bin/true`. Both others with the configuration that comes with uwt; what else they find depends on \
             the machine: its commands and packages, and whether it has a desktop, whose settings gsettings(1) tells."
        )],
    })
}
