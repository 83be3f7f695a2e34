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

use clients::Client;
use place::Place;

/// Runs a client against every row; what differs from the table is told in one go.
#[track_caller]
fn check(client: Client) {
    let place = Place::new();
    let seen = place.run(client);
    table::check(client, &seen);
    place.assert_carried();
}

#[test]
fn a_c_program() {
    check(Client::C);
}

#[test]
fn python() {
    check(Client::Python);
}

#[test]
fn curl() {
    check(Client::Curl);
}
