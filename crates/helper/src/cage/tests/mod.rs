//! The cage with programs in it, as root and as a user without rights.

mod programs;
mod servers;
mod world;

macro_rules! scenarios {
    ($module:ident, $change:expr; $($name:ident),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                world::run(concat!(module_path!(), "::", stringify!($name)), $change, $module::$name);
            }
        )*
    };
}

scenarios! {
    programs, |_| {};
    addresses_and_names_are_carried,
    failures_have_their_errno,
    connects_without_blocking,
    sockets_of_the_host_are_relayed,
    loopback_is_the_hosts,
    names_are_asked_of_any_server,
    ends_are_passed_on,
    resets_are_passed_on,
    nothing_is_lost,
    many_at_the_same_time,
    who_gives_up_is_not_waited_for,
    other_datagrams_are_refused,
    what_may_not_exist,
}

scenarios! {
    servers, |_| {};
    servers_listen_outside,
    closed_sockets_free_their_ports,
}

scenarios! {
    programs, |session| session.optimistic = true;
    connections_come_before_their_answers,
}

scenarios! {
    servers, |session| session.bind = Some(servers::SERVERS);
    servers_are_moved,
}
