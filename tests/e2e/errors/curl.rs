//! What curl says: its exit code, and its reason.

use crate::clients::Said;

/// Ends what curl says of each URL: the code it would exit with, and its message.
const FORMAT: &str = "\n@ %{url_effective} %{exitcode} %{errormsg}\n";

/// One process for all targets, one after the other. What it does is told with its results, in order.
pub(crate) fn command(pairs: &[(&str, &str)]) -> Vec<String> {
    let words = ["/usr/bin/curl", "-q", "-sv", "--stderr", "-", "-w", FORMAT];
    let targets = pairs.iter().map(|(_, target)| format!("http://{target}/"));
    words.into_iter().map(str::to_owned).chain(targets).collect()
}

/// Reads its standard output.
pub(crate) fn read(output: &str) -> Vec<Said<'_>> {
    let mut reason = None;
    let mut said = Vec::new();
    for line in output.lines() {
        // What its message says of a connect is when it failed; why is in a line of its own.
        if let Some((_, text)) = line.split_once(" failed: ").filter(|_| line.starts_with("* connect to ")) {
            reason = Some(text);
        } else if let Some((url, end)) = line.strip_prefix("@ ").and_then(|rest| rest.split_once(' ')) {
            let target = url.trim_start_matches("http://").trim_end_matches('/');
            let (code, message) = end.split_once(' ').unwrap_or((end, ""));
            said.push((
                "",
                target,
                format!("{code} {}", reason.take().map_or_else(|| plain(code, message, target), str::to_owned)),
            ));
        }
    }
    said
}

/// A message as every version of curl has it.
fn plain(code: &str, message: &str, target: &str) -> String {
    match code {
        // With the milliseconds, and in other words each time.
        "28" => "timed out".to_owned(),
        _ => message.replace(target, "HOST").replace("Can't", "cannot").replace("Couldn't", "Could not"),
    }
}
