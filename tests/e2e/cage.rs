//! Programs that the preload library does not see, carried by the guard and the cage: through real Tor, with the life
//! cycle of the helper, and byte for byte.

#[path = "clients/flow.rs"]
mod flow;
#[path = "clients/place.rs"]
mod place;
#[path = "leaks/programs.rs"]
mod programs;
#[path = "cage/site.rs"]
mod site;

#[path = "cage/background.rs"]
mod background;
#[path = "cage/helper.rs"]
mod helper;
#[path = "cage/integrity.rs"]
mod integrity;
#[path = "cage/life.rs"]
mod life;
#[path = "cage/real_tor.rs"]
mod real_tor;
#[path = "cage/terminal.rs"]
mod terminal;
