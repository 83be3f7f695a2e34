//! What `uwt --report FILE` writes: one JSON object a line (JSON Lines), for each thing that the tree did.
//!
//! The helper writes it, for it alone hears of everything: what the guard traps, what it carries itself, and what the
//! preload of each program tells it. `uwtctl audit` reads it. A reader must pass over fields it does not know.
#![forbid(unsafe_code)]

mod event;
mod lines;

pub use event::{Destination, Event, GuardLevel, Happening, Layer, Outcome, Transport};
pub use lines::{Reader, write};
