//! The truth about errors: what programs are told when the gateway refuses, misbehaves or is not there, by each way a
//! connect can go. `errors/truth.md` is the table; `target/errors/report.md` is the same table as it was seen.

#[path = "errors/clients.rs"]
mod clients;
#[path = "errors/curl.rs"]
mod curl;
#[path = "errors/place.rs"]
mod place;
#[path = "errors/rows.rs"]
mod rows;
#[path = "errors/table.rs"]
mod table;

use clients::Table;
use place::Place;

/// Fills a table; what differs from the truth is told in one go.
#[track_caller]
fn check(table: &'static Table) {
    let place = Place::new(table);
    table::check(table, &place.run());
    place.assert_carried();
}

#[test]
fn a_c_program() {
    check(&clients::C);
}

#[test]
fn an_optimistic_c_program() {
    check(&clients::C_OPTIMISTIC);
}

#[test]
fn python() {
    check(&clients::PYTHON);
}

#[test]
fn optimistic_python() {
    check(&clients::PYTHON_OPTIMISTIC);
}

#[test]
fn curl() {
    check(&clients::CURL);
}

#[test]
fn optimistic_curl() {
    check(&clients::CURL_OPTIMISTIC);
}
