//! The manual pages: their prose is in `man/`, their format man(7).

use std::env;
use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use clap::{Command, CommandFactory as _};
use roff::Roff;
use uwt_cli::ctl::Control;
use uwt_cli::{Options, TorsocksOptions};

use crate::{markdown, options};

/// A manual page.
struct Page {
    name: &'static str,
    section: &'static str,
    /// Whose options it describes, if any.
    command: fn() -> Command,
    /// Markdown; see `markdown.rs` for what is understood.
    source: &'static str,
}

const fn page(name: &'static str, section: &'static str, source: &'static str) -> Page {
    Page { name, section, command: Options::command, source }
}

const PAGES: &[Page] = &[
    page("uwt", "1", include_str!("../man/uwt.1.md")),
    page("uwt.d", "5", include_str!("../man/uwt.d.5.md")),
    page("uwt", "7", include_str!("../man/uwt.7.md")),
    Page { command: Control::command, ..page("uwtctl", "1", include_str!("../man/uwtctl.1.md")) },
    Page { command: TorsocksOptions::command, ..page("uwt-torsocks", "1", include_str!("../man/uwt-torsocks.1.md")) },
];

/// Every page with its file name.
///
/// # Errors
/// A source says something that cannot be set, or the options that it describes are not the real ones.
pub(crate) fn all() -> Result<Vec<(String, String)>> {
    let date = date()?;
    PAGES.iter().map(|page| render(page, &date).with_context(|| format!("{}({})", page.name, page.section))).collect()
}

/// The day that `SOURCE_DATE_EPOCH` names, in seconds (reproducible-builds.org); a package's build sets it to the day of the
/// changelog's last entry. Without it there is no date, for that of the build would say nothing about the text.
fn date() -> Result<String> {
    let Some(seconds) = env::var_os("SOURCE_DATE_EPOCH") else { return Ok(String::new()) };
    let seconds = seconds.to_str().and_then(|text| text.parse().ok()).context("SOURCE_DATE_EPOCH is no number")?;
    let time = UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).context("SOURCE_DATE_EPOCH is too large")?;
    let time = humantime::format_rfc3339(time).to_string();
    Ok(time.split('T').next().unwrap_or_default().to_owned())
}

/// What a section is called at the top of its pages (man-pages(7)).
fn about(section: &str) -> &'static str {
    match section {
        "1" => "User Commands",
        "5" => "File Formats",
        _ => "Miscellaneous",
    }
}

fn render(page: &Page, date: &str) -> Result<(String, String)> {
    let mut roff = Roff::new();
    let version = concat!("uwt ", env!("CARGO_PKG_VERSION"));
    // In quotes, an empty date keeps its place.
    roff.control("TH", [&page.name.to_uppercase(), page.section, &format!("\"{date}\""), version, about(page.section)]);
    let mut terms = options::Terms::of((page.command)());
    markdown::set(page.source, &mut roff, &mut terms)?;
    terms.finish()?;
    // Characters that troff would set as accents.
    let text = roff.render().replace('~', r"\(ti").replace('^', r"\(ha").replace('`', r"\(ga");
    Ok((format!("{}.{}", page.name, page.section), text))
}
