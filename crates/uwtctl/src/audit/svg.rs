//! A picture of an audit: processes, credentials and destinations in three columns, joined by who sent what where.

use std::collections::BTreeSet;

use svg::Document;
use svg::node::element::path::Data;
use svg::node::element::{Group, Path, Rectangle, Style, Text, Title};

use super::model::{Audit, Process, Verdict, layer, place};
use super::short::short;

/// The width of a box, in pixels as all of these.
const WIDTH: usize = 300;
/// The height of a box.
const HEIGHT: usize = 44;
/// Between one box and the next below.
const GAP: usize = 14;
/// Between one column and the next, for the curves.
const BETWEEN: usize = 140;
/// Around everything.
const MARGIN: usize = 24;
/// Above the boxes: the title and the headings.
const TOP: usize = 96;
/// How far a process is moved to the right for each one above it.
const INDENT: usize = 16;
/// How often at most: its text needs room.
const DEEPEST: usize = 6;
/// The width of a letter: monospace ones are 0.6 times as wide as high (13 pixels), this is a little more.
const LETTER: usize = 8;
/// Between a box's edge and its text.
const PADDING: usize = 12;
/// At most so many boxes: more would be no picture.
const MOST: usize = 200;

/// How a picture looks, on white and on black paper.
const STYLE: &str = "
svg { color-scheme: light dark; }
.paper { fill: #ffffff; } text { fill: #1b1b1f; font: 13px monospace; }
.head { font-weight: bold; } .small { fill: #5a5a66; font-size: 12px; }
.box { fill: #f4f4f6; stroke: #8a8a94; stroke-width: 1.5; }
.good .box { stroke: #1a7f37; } .warn .box { stroke: #9a6700; } .bad .box { stroke: #cf222e; }
.line { fill: none; stroke: #8a8a94; stroke-width: 1.5; stroke-opacity: 0.8; }
.line.good { stroke: #1a7f37; } .line.warn { stroke: #9a6700; } .line.bad { stroke: #cf222e; }
.line.dash { stroke-dasharray: 5 4; }
@media (prefers-color-scheme: dark) {
.paper { fill: #16161a; } text { fill: #e6e6ea; } .small { fill: #a2a2ae; }
.box { fill: #232329; stroke: #75757f; }
.good .box, .line.good { stroke: #3fb950; } .warn .box, .line.warn { stroke: #d29922; }
.bad .box, .line.bad { stroke: #f85149; }
}
";

/// A box with a line of text and a smaller one.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Card {
    text: String,
    small: String,
    class: &'static str,
    indent: usize,
}

/// A curve between two cards of neighbouring columns.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Curve {
    /// Between the first two columns, or the last two.
    column: usize,
    from: usize,
    to: usize,
    class: &'static str,
}

/// What is drawn, without where.
#[derive(Debug, Default)]
struct Picture {
    columns: [Vec<Card>; 3],
    curves: BTreeSet<Curve>,
}

/// Draws it.
pub(crate) fn draw(audit: &Audit) -> String {
    let picture = Picture::of(audit);
    let rows = picture.columns.iter().map(Vec::len).max().unwrap_or_default();
    let (width, height) = (MARGIN * 2 + WIDTH * 3 + BETWEEN * 2, TOP + rows * (HEIGHT + GAP) + MARGIN);
    let command = audit.command.as_ref().map_or_else(|| "a report".to_owned(), |words| words.join(" "));
    let title = format!("{command}: {}", audit.verdict.words());
    let mut document = Document::new()
        .set("viewBox", (0, 0, width, height))
        .set("width", width)
        .set("height", height)
        .set("role", "img")
        .add(Title::new(clean(&title)))
        .add(Style::new(STYLE))
        .add(Rectangle::new().set("class", "paper").set("width", width).set("height", height))
        .add(letters(MARGIN, 34, "head", &short(&title, (width - 2 * MARGIN) / LETTER)));
    for (column, heading) in ["Processes", "Credentials", "Destinations"].into_iter().enumerate() {
        document = document.add(letters(left(column), 72, "small", heading));
    }
    for curve in &picture.curves {
        document = document.add(curve.draw());
    }
    for (column, cards) in picture.columns.iter().enumerate() {
        for (row, card) in cards.iter().enumerate() {
            document = document.add(card.draw(left(column), top(row)));
        }
    }
    format!("{document}\n")
}

impl Picture {
    fn of(audit: &Audit) -> Self {
        let mut picture = Self::default();
        for process in audit.processes.iter().take(MOST) {
            picture.add(process);
        }
        if let Some(more) = audit.processes.len().checked_sub(MOST).filter(|more| *more > 0) {
            picture.columns[0].push(Card::new(format!("and {more} more processes"), "see the report", ""));
        }
        picture
    }

    fn add(&mut self, process: &Process) {
        let from = self.columns[0].len();
        let small = format!("pid {}, {}", process.pid, brief(process.verdict));
        let indent = process.depth.min(DEEPEST) * INDENT;
        self.columns[0].push(Card { indent, ..Card::new(process.command_line(), small, class(process.verdict)) });
        let shared: BTreeSet<Option<&str>> = process.shares.iter().map(|share| share.credential.as_deref()).collect();
        let way = |credential: Option<&str>| match credential {
            None => Card::new("no credential", "shares circuits with everyone", "bad"),
            Some(own) if shared.contains(&credential) => Card::new(own, "shared", "bad"),
            Some(own) => Card::new(own, "of one process", "good"),
        };
        for lookup in process.lookups.iter().map(|it| &it.what).filter(|lookup| lookup.sent) {
            let small = format!("name, by {}", layer(lookup.layer));
            let to = Card::new(lookup.name.as_str(), small, "");
            self.join(from, way(lookup.credential.as_deref()), to, lookup.failed.is_some());
        }
        for connection in process.connections.iter().map(|it| &it.what) {
            let small = format!("connection, by {}", layer(connection.layer));
            let to = Card::new(place(&connection.destination), small, "");
            self.join(from, way(connection.credential.as_deref()), to, connection.failed.is_some());
        }
        for local in process.local.iter().map(|it| &it.what) {
            let (way, small) = if local.tor && local.failed.is_some() {
                (Card::new("nothing sent", "it could not connect", "warn"), "SocksPort, not reached")
            } else if local.tor {
                (Card::new("unknown credential", "only Tor knows", "warn"), "SocksPort, spoken to directly")
            } else {
                (Card::new("this machine", "direct, as allowed", ""), "local service")
            };
            self.join(from, way, Card::new(place(&local.destination), small, ""), local.failed.is_some());
        }
        for refusal in process.refused.iter().map(|it| &it.what) {
            let way = Card::new("refused", "did not get out", "warn");
            let small = format!("{} by {}", refusal.errno, layer(refusal.layer));
            let what = match &refusal.destination {
                Some(to) => format!("{}: {}", place(to), refusal.what),
                None => refusal.what.clone(),
            };
            self.join(from, way, Card::new(what, small, "warn"), true);
        }
    }

    /// Draws a way from a process to a destination.
    fn join(&mut self, from: usize, way: Card, to: Card, failed: bool) {
        let class = match (way.class, failed) {
            ("good", false) => "line good",
            ("good", true) => "line good dash",
            ("bad", false) => "line bad",
            ("bad", true) => "line bad dash",
            ("warn", _) => "line warn dash",
            _ => "line",
        };
        let (way, to) = (self.card(1, way), self.card(2, to));
        self.curves.insert(Curve { column: 0, from, to: way, class });
        self.curves.insert(Curve { column: 1, from: way, to, class });
    }

    /// Which card of a column it is; a new one where it is not there yet, as long as there is room.
    fn card(&mut self, column: usize, card: Card) -> usize {
        let cards = &mut self.columns[column];
        if let Some(index) = cards.iter().position(|it| *it == card) {
            return index;
        }
        if cards.len() < MOST {
            cards.push(card);
            return cards.len() - 1;
        }
        if cards.len() == MOST {
            cards.push(Card::new("and more", "see the report", ""));
        }
        MOST
    }
}

impl Curve {
    fn draw(&self) -> Path {
        let (start, end) = (left(self.column) + WIDTH, left(self.column + 1));
        let (from, to) = (top(self.from) + HEIGHT / 2, top(self.to) + HEIGHT / 2);
        let half = start + BETWEEN / 2;
        let data = Data::new().move_to((start, from)).cubic_curve_to((half, from, half, to, end, to));
        Path::new().set("class", self.class).set("d", data)
    }
}

impl Card {
    fn new(text: impl Into<String>, small: impl Into<String>, class: &'static str) -> Self {
        Self { text: text.into(), small: small.into(), class, indent: 0 }
    }

    fn draw(&self, x: usize, y: usize) -> Group {
        let (x, width) = (x + self.indent, WIDTH - self.indent);
        let fitting = |text: &str| short(&clean(text), (width - 2 * PADDING) / LETTER);
        let edge = Rectangle::new().set("class", "box").set("x", x).set("y", y).set("width", width);
        Group::new()
            .set("class", self.class)
            .add(Title::new(clean(&format!("{}\n{}", self.text, self.small))))
            .add(edge.set("height", HEIGHT).set("rx", 6))
            .add(letters(x + PADDING, y + 18, "", &fitting(&self.text)))
            .add(letters(x + PADDING, y + 35, "small", &fitting(&self.small)))
    }
}

fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::NothingSent => "",
        Verdict::Isolated => "good",
        Verdict::Unknown | Verdict::RefusedParts | Verdict::WouldLeak => "warn",
        Verdict::SharesCredential => "bad",
    }
}

/// What fits into a box.
fn brief(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::WouldLeak => "would leak unguarded",
        Verdict::SharesCredential => "shares a credential",
        other => other.words(),
    }
}

fn left(column: usize) -> usize {
    MARGIN + column * (WIDTH + BETWEEN)
}

fn top(row: usize) -> usize {
    TOP + row * (HEIGHT + GAP)
}

fn letters(x: usize, y: usize, class: &str, text: &str) -> Text {
    Text::new(clean(text)).set("x", x).set("y", y).set("class", class)
}

/// Without what no XML document may hold (<https://www.w3.org/TR/xml/#charsets>).
fn clean(text: &str) -> String {
    let allowed = |letter: char| letter == '\n' || !letter.is_control() && !matches!(letter, '\u{fffe}' | '\u{ffff}');
    text.chars().map(|letter| if allowed(letter) { letter } else { '\u{fffd}' }).collect()
}

#[cfg(test)]
mod tests;
