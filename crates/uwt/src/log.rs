//! What `-v` says: lines like our other ones, on standard error.

use std::fmt;

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, fmt};
use tracing_subscriber::registry::LookupSpan;

/// Lets events through from now on. Without this call they cost one comparison each.
pub(crate) fn start() {
    let subscriber = fmt().with_max_level(Level::DEBUG).with_writer(std::io::stderr).event_format(Line).finish();
    // It fails only where one is installed already, which then is this one.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

struct Line;

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        writer.write_str("uwt: ")?;
        context.format_fields(writer.by_ref(), event)?;
        writer.write_char('\n')
    }
}
