use proptest::prelude::*;

use super::*;
use crate::bpf::encode;
use crate::interpreter::{check, run};
use crate::numbers::{I386, X86_64};
use crate::{Foreign, SystemCall};

const COOKIE: u64 = 0x0123_4567_89ab_cdef;
const ARCHES: [u32; 4] = [X86_64, I386, 0xc000_00b7, 0];

/// Each call of the tables, and the numbers around them.
fn numbers() -> Vec<u32> {
    let edges = |first: u32, last: u32| [first.saturating_sub(1), first, last, last.saturating_add(1)];
    let of = |abi: &Abi| abi.calls.iter().flat_map(|calls| edges(calls.first, calls.last)).collect::<Vec<_>>();
    let mut numbers: Vec<u32> = ABIS.iter().flat_map(of).collect();
    numbers.extend([0, 1, 202, 426, 600, 0x4000_0029, 0x4000_0206, u32::MAX]);
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

fn rules() -> Vec<Rules> {
    let all = [Foreign::Ask, Foreign::AskAndTell, Foreign::AskAndReport, Foreign::Refuse];
    let with = |cookie| all.map(|foreign| Rules { cookie, foreign });
    [COOKIE, 0].into_iter().flat_map(with).collect()
}

/// The cookie, and what has only a half of it, or both in the wrong order.
fn shown(cookie: u64) -> [u64; 6] {
    [cookie, 0, cookie ^ 1, cookie ^ (1 << 32), cookie.rotate_left(32), u64::from(low(cookie))]
}

fn assert_agrees(rules: &Rules, program: &Program, call: &SystemCall) {
    assert_eq!(run(program, call).value, encode(rules.verdict(call)), "{rules:x?} {call:x?}");
}

#[test]
fn every_socket() {
    let kinds = [0, 1, 2, 3, 4, 5, 6, 10, 15, 16, 0x41].into_iter();
    let kinds: Vec<i32> =
        kinds.flat_map(|kind| [0, 0x8_0800, 0x1000, -0x8000_0000].map(|flags| kind | flags)).collect();
    let protocols = [0, 1, 6, 17, 33, 58, 132, 136, 255, 262, 263, -1];
    let noise = 0x5555_5555_0000_0000;
    for rules in rules() {
        let program = compile(&rules).unwrap();
        for (arch, number) in [(X86_64, 41), (I386, 359), (X86_64, 0x4000_0029), (0xc000_00b7, 41)] {
            for family in -1..=50_i32 {
                for kind in &kinds {
                    for protocol in protocols {
                        for (index, fifth) in shown(rules.cookie).into_iter().enumerate() {
                            // Every other row has something in the halves that the kernel cuts off.
                            let high = if index % 2 == 0 { noise } else { 0 };
                            let int = |value: i32| high | u64::from(value.cast_unsigned());
                            let arguments = [int(family), int(*kind), int(protocol), 0, fifth, 0];
                            assert_agrees(&rules, &program, &SystemCall { arch, number, arguments });
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn every_number_with_every_length_and_flag() {
    let lengths = (0..=130).chain([0x7fff_ffff, 0x8000_0000, u64::from(u32::MAX), 1 << 32 | 16, 1 << 32 | 5]);
    let flags = [0x4000, 0x2000_0000, 0x2000_4000, 0x2000_0000 << 8, u64::MAX];
    // Each of them in every place where some call has its length or its flags.
    let with_lengths = lengths.map(|length| [length, length, length, 0, length]);
    let with_flags = flags.into_iter().flat_map(|flag| [[3, 1, flag, flag, 16], [3, 1, 2, flag, 5]]);
    let others: Vec<_> = with_lengths.chain(with_flags).collect();
    for rules in rules() {
        let program = compile(&rules).unwrap();
        for arch in ARCHES {
            for number in numbers() {
                for fifth in [1, 1 << 32].into_iter().chain(shown(rules.cookie)) {
                    for [first, second, third, fourth, sixth] in &others {
                        let arguments = [*first, *second, *third, *fourth, fifth, *sixth];
                        assert_agrees(&rules, &program, &SystemCall { arch, number, arguments });
                    }
                }
            }
        }
    }
}

#[test]
fn the_kernel_would_take_it() {
    for rules in rules() {
        let program = compile(&rules).unwrap();
        assert_eq!(check(&program), Ok(()), "{rules:?}");
        assert!(program.instructions().len() < 160, "{}", program.instructions().len());
        assert_eq!(program.asks(), rules.foreign != Foreign::Refuse);
    }
}

/// The kernel's own notion of a call that always passes ends at the first look at an argument.
#[test]
fn other_calls_are_short_and_look_at_no_argument() {
    let program = compile(&Rules { cookie: COOKIE, foreign: Foreign::Ask }).unwrap();
    let steps = |number: u32| {
        let ran = run(&program, &SystemCall { arch: X86_64, number, arguments: [0; 6] });
        assert!(ran.value == 0x7fff_0000 && !ran.looked_at_arguments, "{number}: {ran:?}");
        ran.steps
    };
    // read, write, poll, mmap, rt_sigprocmask; clone, futex, epoll_wait, openat, pselect6, epoll_pwait, getrandom.
    // Architecture, number and end are four of the instructions.
    for number in [0, 1, 7, 9, 14, 56, 202, 232, 257, 270, 281, 302, 318] {
        assert!(steps(number) <= 4 + 3, "{number}: {}", steps(number));
    }
    let free = (0..IN_USE).filter(|number| Abi::of(X86_64).unwrap().operation(*number).is_none());
    assert!(free.map(steps).max() <= Some(4 + 7));
}

/// Who does not report pays nothing for those who do.
#[test]
fn what_is_executed_is_asked_about_for_a_report_alone() {
    let calls = [(X86_64, 59), (X86_64, 322), (I386, 11), (I386, 358)];
    for rules in rules() {
        let program = compile(&rules).unwrap();
        for (arch, number) in calls {
            let ran = run(&program, &SystemCall { arch, number, arguments: [0; 6] });
            let expected = if rules.foreign == Foreign::AskAndReport { Verdict::Ask } else { Verdict::Allow };
            assert_eq!((ran.value, ran.looked_at_arguments), (encode(expected), false), "{rules:?} {number}");
        }
    }
    let size = |foreign| compile(&Rules { cookie: COOKIE, foreign }).unwrap().instructions().len();
    assert!(size(Foreign::AskAndTell) < size(Foreign::AskAndReport));
}

fn argument() -> impl Strategy<Value = u64> {
    let interesting =
        [0, 1, 2, 6, 10, 16, 17, 28, 38, 110, 111, 128, 136, 262, 0x2000_0000, COOKIE, 0x8_0001, u64::MAX];
    prop_oneof![
        4 => proptest::sample::select(interesting.to_vec()),
        1 => any::<u64>(),
        1 => any::<u32>().prop_map(u64::from),
        1 => (any::<u32>(), 0..300_u64).prop_map(|(high, low)| u64::from(high) << 32 | low),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(20_000) })]
    #[test]
    fn any_call(
        arch in prop_oneof![proptest::sample::select(ARCHES.to_vec()), any::<u32>()],
        number in prop_oneof![3 => proptest::sample::select(numbers()), 1 => 0..600_u32, 1 => any::<u32>()],
        arguments in proptest::array::uniform6(argument()),
        refuse: bool,
    ) {
        let foreign = if refuse { Foreign::Refuse } else { Foreign::Ask };
        let rules = Rules { cookie: COOKIE, foreign };
        let program = compile(&rules).unwrap();
        assert_agrees(&rules, &program, &SystemCall { arch, number, arguments });
    }
}
