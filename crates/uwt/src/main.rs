//! uwt.
fn main() {}
