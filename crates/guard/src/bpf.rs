//! Classic BPF as seccomp(2) takes it: instructions, and an assembler with names instead of counted jumps.

use std::error::Error;
use std::fmt;

use crate::Verdict;

/// One instruction: `struct sock_filter` of linux/filter.h.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// What to do, `BPF_*`.
    pub code: u16,
    /// How many instructions to skip where a test holds.
    pub yes: u8,
    /// How many instructions to skip where it doesn't.
    pub no: u8,
    /// The constant to work with.
    pub value: u32,
}

/// A filter, ready to be installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    instructions: Vec<Instruction>,
    asks: bool,
}

impl Program {
    /// The instructions in order.
    #[must_use]
    pub fn instructions(&self) -> &[Instruction] {
        &self.instructions
    }

    /// Whether some call ends in [`Verdict::Ask`], so that a listener is needed.
    #[must_use]
    pub fn asks(&self) -> bool {
        self.asks
    }
}

/// Why rules could not become a program. The rules of this crate always can; a change that breaks it fails here, not by
/// a jump to the wrong place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompileError {
    /// A jump's target is more than 255 instructions away, behind it, or nowhere.
    Jump {
        /// The index of the instruction that jumps.
        at: usize,
    },
    /// More instructions than the kernel takes (`BPF_MAXINSNS`, 4096).
    Length(usize),
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Jump { at } => write!(f, "the filter's instruction {at} can't jump as far as it must"),
            Self::Length(length) => write!(f, "the filter has {length} instructions, the kernel takes {MAX_LENGTH}"),
        }
    }
}

impl Error for CompileError {}

const MAX_LENGTH: usize = 4096;

/// `BPF_LD | BPF_W | BPF_ABS`: loads the word at a place in bytes.
const LOAD: u16 = 0x20;
/// `BPF_ALU | BPF_AND | BPF_K`.
const AND: u16 = 0x54;
/// `BPF_RET | BPF_K`.
const RETURN: u16 = 0x06;

/// What can be asked about the loaded word: `BPF_JMP | BPF_K` and the test. All of them, and [`LOAD`] of number and architecture, are understood by the
/// kernel when it looks for calls that pass whatever their arguments: those skip the filter from then on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub(crate) enum Test {
    /// `BPF_JEQ`.
    Equal = 0x15,
    /// `BPF_JGT`, unsigned.
    Greater = 0x25,
    /// `BPF_JGE`, unsigned.
    AtLeast = 0x35,
    /// `BPF_JSET`: whether the two have a bit in common.
    AnyBit = 0x45,
}

/// A word of `struct seccomp_data`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Field {
    Number,
    Arch,
    Low(usize),
    High(usize),
}

impl Field {
    /// In bytes from the start of the structure; the low half of an argument is first on a little-endian machine.
    fn offset(self) -> usize {
        match self {
            Self::Number => 0,
            Self::Arch => 4,
            Self::Low(argument) => 16 + 8 * argument,
            Self::High(argument) => 20 + 8 * argument,
        }
    }
}

/// A place in the program that has, or will have, a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Label(usize);

/// Where a test goes on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    /// With the next instruction.
    Next,
    /// At a label further down.
    At(Label),
}

impl From<Label> for Target {
    fn from(label: Label) -> Self {
        Self::At(label)
    }
}

enum Step {
    Plain { code: u16, value: u32 },
    Jump { test: Test, value: u32, yes: Target, no: Target },
}

/// Collects steps, then resolves the labels.
pub(crate) struct Assembler {
    steps: Vec<Step>,
    /// By label: the index of the step it stands before.
    places: Vec<Option<usize>>,
    asks: bool,
}

impl Assembler {
    /// Nothing yet, with room for a program of ours: to move it while it grows takes longer than to write it.
    pub(crate) fn new() -> Self {
        Self { steps: Vec::with_capacity(160), places: Vec::with_capacity(128), asks: false }
    }

    /// A new name, for a place yet to come.
    pub(crate) fn label(&mut self) -> Label {
        self.places.push(None);
        Label(self.places.len() - 1)
    }

    /// The next step is what `label` names.
    pub(crate) fn place(&mut self, label: Label) {
        if let Some(place) = self.places.get_mut(label.0) {
            *place = Some(self.steps.len());
        }
    }

    /// Loads a word.
    pub(crate) fn load(&mut self, field: Field) {
        // At most 60.
        let value = u32::try_from(field.offset()).unwrap_or(u32::MAX);
        self.steps.push(Step::Plain { code: LOAD, value });
    }

    /// Keeps only these bits of the loaded word.
    pub(crate) fn and(&mut self, value: u32) {
        self.steps.push(Step::Plain { code: AND, value });
    }

    /// Goes on at one of two places.
    pub(crate) fn test(&mut self, test: Test, value: u32, yes: impl Into<Target>, no: impl Into<Target>) {
        self.steps.push(Step::Jump { test, value, yes: yes.into(), no: no.into() });
    }

    /// Ends with a verdict.
    pub(crate) fn end(&mut self, verdict: Verdict) {
        self.asks |= verdict == Verdict::Ask;
        self.steps.push(Step::Plain { code: RETURN, value: encode(verdict) });
    }

    /// The program.
    pub(crate) fn finish(self) -> Result<Program, CompileError> {
        if self.steps.len() > MAX_LENGTH {
            return Err(CompileError::Length(self.steps.len()));
        }
        let distance = |at: usize, target: Target| match target {
            Target::Next => Ok(0),
            Target::At(label) => {
                let place = self.places.get(label.0).copied().flatten();
                let skipped =
                    place.filter(|place| *place < self.steps.len()).and_then(|place| place.checked_sub(at + 1));
                skipped.and_then(|skipped| u8::try_from(skipped).ok()).ok_or(CompileError::Jump { at })
            }
        };
        let resolve = |(at, step): (usize, &Step)| match *step {
            Step::Plain { code, value } => Ok(Instruction { code, yes: 0, no: 0, value }),
            Step::Jump { test, value, yes, no } => {
                Ok(Instruction { code: test as u16, yes: distance(at, yes)?, no: distance(at, no)?, value })
            }
        };
        let instructions = self.steps.iter().enumerate().map(resolve).collect::<Result<_, _>>()?;
        Ok(Program { instructions, asks: self.asks })
    }
}

/// `SECCOMP_RET_*`, with the errno in the lower half.
pub(crate) fn encode(verdict: Verdict) -> u32 {
    match verdict {
        Verdict::Allow => libc::SECCOMP_RET_ALLOW,
        Verdict::Ask => libc::SECCOMP_RET_USER_NOTIF,
        Verdict::Refuse(errno) => libc::SECCOMP_RET_ERRNO | (errno.cast_unsigned() & libc::SECCOMP_RET_DATA),
        Verdict::Kill => libc::SECCOMP_RET_KILL_PROCESS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_become_distances() {
        let mut assembler = Assembler::new();
        let (allow, kill) = (assembler.label(), assembler.label());
        assembler.load(Field::Arch);
        assembler.test(Test::Equal, 7, Target::Next, kill);
        assembler.load(Field::High(5));
        assembler.test(Test::AnyBit, 1, allow, kill);
        assembler.place(kill);
        assembler.end(Verdict::Kill);
        assembler.place(allow);
        assembler.end(Verdict::Allow);
        let program = assembler.finish().unwrap();
        // The numbers of linux/bpf_common.h and linux/seccomp.h, written out.
        let expected = [
            (0x20, 0, 0, 4),
            (0x15, 0, 2, 7),
            (0x20, 0, 0, 60),
            (0x45, 1, 0, 1),
            (0x06, 0, 0, 0x8000_0000),
            (0x06, 0, 0, 0x7fff_0000),
        ]
        .map(|(code, yes, no, value)| Instruction { code, yes, no, value });
        assert_eq!(program.instructions(), expected);
        assert!(!program.asks());
    }

    #[test]
    fn a_jump_goes_forward_and_not_too_far() {
        let far = |between: usize| {
            let mut assembler = Assembler::new();
            let label = assembler.label();
            assembler.test(Test::Equal, 0, label, Target::Next);
            (0..between).for_each(|_| assembler.and(1));
            assembler.place(label);
            assembler.end(Verdict::Allow);
            assembler.finish()
        };
        assert_eq!(far(255).unwrap().instructions()[0].yes, 255);
        assert_eq!(far(256), Err(CompileError::Jump { at: 0 }));
        assert_eq!(far(5000), Err(CompileError::Length(5002)));

        let mut backward = Assembler::new();
        let label = backward.label();
        backward.place(label);
        backward.test(Test::Equal, 0, label, Target::Next);
        backward.end(Verdict::Allow);
        assert_eq!(backward.finish(), Err(CompileError::Jump { at: 0 }));

        for place_at_end in [false, true] {
            let mut nowhere = Assembler::new();
            let label = nowhere.label();
            nowhere.test(Test::Equal, 0, Target::Next, label);
            nowhere.end(Verdict::Allow);
            if place_at_end {
                nowhere.place(label);
            }
            assert_eq!(nowhere.finish(), Err(CompileError::Jump { at: 0 }));
        }
    }

    #[test]
    fn verdicts_are_what_the_kernel_calls_them() {
        assert_eq!(encode(Verdict::Ask), 0x7fc0_0000);
        assert_eq!(encode(Verdict::Refuse(13)), 0x0005_000d);
        let mut assembler = Assembler::new();
        assembler.end(Verdict::Ask);
        assert!(assembler.finish().unwrap().asks());
    }
}
