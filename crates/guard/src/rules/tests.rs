//! The rows that matter, with literal numbers, through the specification *and* the program: what both have wrong shows.

use super::*;
use crate::compile;
use crate::interpreter::run;

const X64: u32 = 0xc000_003e;
const I386: u32 = 0x4000_0003;
const ARM64: u32 = 0xc000_00b7;
const COOKIE: u64 = 0xfeed_face_0bad_cafe;
/// The right lower half, the right upper half, nothing.
const WRONG: [u64; 4] = [0xfeed_face_0bad_caff, 0xfeed_facf_0bad_cafe, 0x0bad_cafe, 0];

const ALLOW: u32 = 0x7fff_0000;
const ASK: u32 = 0x7fc0_0000;
const KILL: u32 = 0x8000_0000;
const EPERM: u32 = 0x0005_0001;
const EACCES: u32 = 0x0005_000d;
const ENOSYS: u32 = 0x0005_0026;
const EOPNOTSUPP: u32 = 0x0005_005f;

const NONBLOCK_CLOEXEC: u64 = 0x8_0800;
const FAST_OPEN: u64 = 0x2000_0000;
const POINTER: u64 = 0x7ffc_1234_5678;

fn value(verdict: Verdict) -> u32 {
    match verdict {
        Verdict::Allow => ALLOW,
        Verdict::Ask => ASK,
        Verdict::Refuse(errno) => 0x0005_0000 | u32::try_from(errno).unwrap(),
        Verdict::Kill => KILL,
    }
}

/// `expected` as [`Foreign::Ask`] has it; with [`Foreign::Refuse`] the asking is an EACCES.
fn assert_verdict(arch: u32, number: u32, arguments: [u64; 6], expected: u32) {
    let call = SystemCall { arch, number, arguments };
    for foreign in [Foreign::Ask, Foreign::AskAndTell, Foreign::AskAndReport, Foreign::Refuse] {
        let rules = Rules { cookie: COOKIE, foreign };
        let expected = match foreign {
            Foreign::Refuse if expected == ASK => EACCES,
            Foreign::AskAndTell | Foreign::AskAndReport if [EACCES, ENOSYS, EPERM, EOPNOTSUPP].contains(&expected) => {
                ASK
            }
            _ => expected,
        };
        assert_eq!(value(rules.verdict(&call)), expected, "rules, {foreign:?}: {call:x?}");
        assert_eq!(run(&compile(&rules).unwrap(), &call).value, expected, "program, {foreign:?}: {call:x?}");
    }
}

#[test]
fn sockets() {
    for (family, kind, protocol, stranger, ours) in [
        (1, 1, 0, ALLOW, ALLOW),
        (1, 2, 0, ALLOW, ALLOW),
        (1, 5, 0, ALLOW, ALLOW),
        (16, 3, 0, ALLOW, ALLOW),
        (38, 5, 0, ALLOW, ALLOW),
        (2, 1, 0, ASK, ALLOW),
        (2, 1, 6, ASK, ALLOW),
        (2, 1, 262, ASK, ALLOW),
        (10, 1, 0, ASK, ALLOW),
        (2, 2, 0, ASK, ALLOW),
        (2, 2, 17, ASK, ALLOW),
        (10, 2, 136, ASK, ALLOW),
        // SCTP, ICMP echo, UDP's number for a stream, raw, packet-like, DCCP.
        (2, 1, 132, EACCES, EACCES),
        (2, 5, 132, EACCES, EACCES),
        (2, 2, 1, EACCES, EACCES),
        (10, 2, 58, EACCES, EACCES),
        (2, 1, 17, EACCES, EACCES),
        (2, 2, 6, EACCES, EACCES),
        (2, 3, 255, EACCES, EACCES),
        (10, 3, 58, EACCES, EACCES),
        (2, 10, 0, EACCES, EACCES),
        (2, 6, 33, EACCES, EACCES),
        // Unspecified, IPX, packet, TIPC, bluetooth, vsock, KCM, SMC, XDP, none of them all.
        (0, 1, 0, EACCES, EACCES),
        (4, 2, 0, EACCES, EACCES),
        (17, 3, 0x300, EACCES, EACCES),
        (17, 2, 0x300, EACCES, EACCES),
        (30, 1, 0, EACCES, EACCES),
        (31, 1, 3, EACCES, EACCES),
        (40, 1, 0, EACCES, EACCES),
        (41, 5, 0, EACCES, EACCES),
        (43, 1, 0, EACCES, EACCES),
        (44, 3, 0, EACCES, EACCES),
        (0xffff_ffff, 1, 0, EACCES, EACCES),
    ] {
        for flags in [0, NONBLOCK_CLOEXEC, 0x5a5a_5a5a_0000_0000] {
            let call = |fifth| [family, kind | flags, protocol, 0, fifth, 0];
            assert_verdict(X64, 41, call(COOKIE), ours);
            for wrong in WRONG {
                assert_verdict(X64, 41, call(wrong), stranger);
            }
            // The cookie opens nothing in another place, nor on another architecture.
            assert_verdict(X64, 41, [family, kind | flags, protocol, COOKIE, 0, COOKIE], stranger);
            assert_verdict(I386, 359, call(COOKIE), stranger);
        }
    }
    // A flag nobody knows yet.
    assert_verdict(X64, 41, [2, 0x1001, 0, 0, COOKIE, 0], EACCES);
}

#[test]
fn pairs() {
    for (arch, number) in [(X64, 53), (I386, 360)] {
        assert_verdict(arch, number, [1, 1, 0, POINTER, 0, 0], ALLOW);
        assert_verdict(arch, number, [2, 1, 0, POINTER, COOKIE, 0], EACCES);
        assert_verdict(arch, number, [30, 5, 0, POINTER, COOKIE, 0], EACCES);
    }
}

#[test]
fn connections_and_servers() {
    for (length, stranger) in [
        (0, ALLOW),
        (2, ALLOW),
        (12, ALLOW),
        (15, ALLOW),
        (16, ASK),
        (17, ASK),
        (27, ASK),
        (28, ASK),
        (29, ASK),
        (110, ASK),
        (111, ASK),
        (128, ASK),
        (0xffff_ffff, ASK),
        // An int to the kernel.
        (0xffff_ffff_0000_0010, ASK),
        (0xffff_ffff_0000_000f, ALLOW),
    ] {
        assert_verdict(X64, 42, [3, POINTER, length, 0, COOKIE, 0], ALLOW);
        for wrong in WRONG {
            assert_verdict(X64, 42, [3, POINTER, length, 0, wrong, 0], stranger);
        }
        assert_verdict(I386, 362, [3, 0xffff_1234, length, 0, COOKIE, 0], stranger);
    }
    assert_verdict(X64, 50, [3, 128, 0, 0, COOKIE, 0], ALLOW);
    assert_verdict(I386, 363, [3, 128, 0, 0, COOKIE, 0], ASK);
    for wrong in WRONG {
        assert_verdict(X64, 50, [3, 128, 0, 0, wrong, 0], ASK);
    }
}

#[test]
fn messages() {
    for (arch, number) in [(X64, 44), (I386, 369)] {
        for (flags, address, length, expected) in [
            (0, 0, 0, ALLOW),
            (0x4000, 0, 16, ALLOW),
            (0x4000, POINTER, 16, ASK),
            (0, POINTER, 28, ASK),
            (0, POINTER, 128, ASK),
            (0, POINTER, 12, ALLOW),
            (0, POINTER, 110, ASK),
            (0, POINTER, 15, ALLOW),
            // An address that is zero in one half is an address; the cookie is one too.
            (0, 1 << 32, 16, ASK),
            (0, 1, 16, ASK),
            (0, COOKIE, 16, ASK),
            (FAST_OPEN, POINTER, 16, EOPNOTSUPP),
            (FAST_OPEN | 0x4000, 0, 0, EOPNOTSUPP),
            (FAST_OPEN, COOKIE, 110, EOPNOTSUPP),
        ] {
            assert_verdict(arch, number, [3, POINTER, 5, flags, address, length], expected);
        }
    }
    for (flags, stranger) in [(0, ASK), (0x4000, ASK), (FAST_OPEN, EOPNOTSUPP), (FAST_OPEN | 0x4000, EOPNOTSUPP)] {
        assert_verdict(X64, 46, [3, POINTER, flags, 0, COOKIE, 0], ALLOW);
        assert_verdict(X64, 307, [3, POINTER, 2, flags, COOKIE, 0], ALLOW);
        assert_verdict(I386, 370, [3, POINTER, flags, 0, COOKIE, 0], stranger);
        assert_verdict(I386, 345, [3, POINTER, 2, flags, COOKIE, 0], stranger);
        for wrong in WRONG {
            assert_verdict(X64, 46, [3, POINTER, flags, 0, wrong, 0], stranger);
            assert_verdict(X64, 307, [3, POINTER, 2, flags, wrong, 0], stranger);
        }
    }
}

#[test]
fn other_ways_out() {
    let arguments = [1, 1, 0, 0, COOKIE, 0];
    for arch in [X64, I386] {
        for number in [425, 426, 427] {
            assert_verdict(arch, number, arguments, ENOSYS);
        }
        assert_verdict(arch, 438, arguments, EPERM);
        assert_verdict(arch, 424, arguments, ALLOW);
        assert_verdict(arch, 428, arguments, ALLOW);
        assert_verdict(arch, 437, arguments, ALLOW);
        assert_verdict(arch, 439, arguments, ALLOW);
    }
    assert_verdict(I386, 102, arguments, EACCES);
    // lookup_dcookie(2) and getuid(2) have each other's numbers there.
    assert_verdict(X64, 102, arguments, ALLOW);
    for x32 in [0x4000_0000, 0x4000_0029, 0x4000_0206, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 512, 518, 547] {
        assert_verdict(X64, x32, arguments, ENOSYS);
    }
    assert_verdict(X64, 511, arguments, ALLOW);
    assert_verdict(X64, 548, arguments, ALLOW);
}

#[test]
fn unknown_architectures_end() {
    for arch in [ARM64, 0, 0xc000_003f, 0x4000_0028, u32::MAX] {
        for number in [0, 39, 41, 60, 359] {
            assert_verdict(arch, number, [1, 1, 0, 0, COOKIE, 0], KILL);
        }
    }
}

#[test]
fn a_cookie_of_zero_opens_nothing() {
    let rules = Rules { cookie: 0, foreign: Foreign::Ask };
    let program = compile(&rules).unwrap();
    for (number, arguments) in
        [(41, [2, 1, 0, 0, 0, 0]), (42, [3, POINTER, 16, 0, 0, 0]), (46, [3, POINTER, 0, 0, 0, 0])]
    {
        let call = SystemCall { arch: X64, number, arguments };
        assert_eq!(rules.verdict(&call), Verdict::Ask);
        assert_eq!(run(&program, &call).value, ASK);
    }
}
