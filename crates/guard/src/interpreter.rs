//! Runs a program as the kernel would, and checks what the kernel checks before it takes one: bpf_check_classic() and
//! seccomp_check_filter(). Written from linux/filter.h, apart from the assembler, so that they don't share a mistake.

use crate::{Instruction, Program, SystemCall};

const DATA: usize = 64;

/// `struct seccomp_data` as bytes of this (little-endian) machine.
fn data(call: &SystemCall) -> [u8; DATA] {
    let mut bytes = [0; DATA];
    bytes[0..4].copy_from_slice(&call.number.to_le_bytes());
    bytes[4..8].copy_from_slice(&call.arch.to_le_bytes());
    // The instruction pointer: nothing may depend on it.
    bytes[8..16].fill(0xaa);
    for (argument, place) in call.arguments.iter().zip(bytes[16..].chunks_exact_mut(8)) {
        place.copy_from_slice(&argument.to_le_bytes());
    }
    bytes
}

/// A run, as the kernel would see it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Run {
    /// What was returned.
    pub(crate) value: u32,
    /// How many instructions it took.
    pub(crate) steps: usize,
    /// Whether anything but number and architecture was loaded.
    pub(crate) looked_at_arguments: bool,
}

/// Runs the program for a call.
pub(crate) fn run(program: &Program, call: &SystemCall) -> Run {
    let data = data(call);
    let (mut accumulator, mut at, mut looked_at_arguments) = (0_u32, 0, false);
    for steps in 1.. {
        let Instruction { code, yes, no, value } = program.instructions()[at];
        at += 1;
        let holds = match code {
            0x20 => {
                let offset = usize::try_from(value).unwrap();
                looked_at_arguments |= offset >= 8;
                accumulator = u32::from_le_bytes(data[offset..offset + 4].try_into().unwrap());
                continue;
            }
            0x54 => {
                accumulator &= value;
                continue;
            }
            0x06 => return Run { value, steps, looked_at_arguments },
            0x15 => accumulator == value,
            0x25 => accumulator > value,
            0x35 => accumulator >= value,
            0x45 => accumulator & value != 0,
            other => panic!("no instruction: {other:#x}"),
        };
        at += usize::from(if holds { yes } else { no });
    }
    unreachable!()
}

/// What the kernel would refuse at installation, by words of ours.
pub(crate) fn check(program: &Program) -> Result<(), String> {
    let instructions = program.instructions();
    if instructions.is_empty() || instructions.len() > 4096 {
        return Err(format!("{} instructions", instructions.len()));
    }
    for (at, instruction) in instructions.iter().enumerate() {
        let Instruction { code, yes, no, value } = *instruction;
        match code {
            0x20 if value % 4 == 0 && value < 64 => {}
            0x54 | 0x06 => {}
            0x15 | 0x25 | 0x35 | 0x45 if at + 1 + usize::from(yes.max(no)) < instructions.len() => {}
            _ => return Err(format!("instruction {at}: {instruction:?}")),
        }
    }
    match instructions.last() {
        Some(Instruction { code: 0x06, .. }) => Ok(()),
        last => Err(format!("the last one returns nothing: {last:?}")),
    }
}

mod tests {
    use super::*;
    use crate::bpf::{Assembler, Field, Target, Test};
    use crate::{Verdict, numbers};

    #[test]
    fn words_are_where_the_kernel_puts_them() {
        let call = SystemCall { arch: numbers::I386, number: 3, arguments: [0, 0, 0, 0, 0, 0x1122_3344_5566_7788] };
        for (field, expected) in [
            (Field::Number, 3),
            (Field::Arch, 0x4000_0003),
            (Field::Low(5), 0x5566_7788),
            (Field::High(5), 0x1122_3344),
        ] {
            let mut assembler = Assembler::new();
            let same = assembler.label();
            assembler.load(field);
            assembler.test(Test::Equal, expected, same, Target::Next);
            assembler.end(Verdict::Kill);
            assembler.place(same);
            assembler.end(Verdict::Refuse(1));
            let program = assembler.finish().unwrap();
            assert_eq!(check(&program), Ok(()));
            let ran = run(&program, &call);
            assert_eq!((ran.value, ran.steps), (0x0005_0001, 3), "{field:?}");
            assert_eq!(ran.looked_at_arguments, matches!(field, Field::Low(_) | Field::High(_)));
        }
    }

    #[test]
    fn the_check_finds_a_program_that_runs_off_its_end() {
        let mut assembler = Assembler::new();
        assembler.load(Field::Arch);
        check(&assembler.finish().unwrap()).unwrap_err();
        check(&Assembler::new().finish().unwrap()).unwrap_err();
    }
}
