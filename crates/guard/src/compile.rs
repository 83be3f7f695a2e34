//! Rules to program: the decisions of [`Rules::verdict`] as tests and jumps.

use libc::{EACCES, ENOSYS, EOPNOTSUPP, EPERM};

use crate::bpf::{Assembler, Field, Label, Target, Test};
use crate::numbers::{ABIS, Abi, Operation};
use crate::rules::{CARRIED, INTERNET_FAMILIES, INTERNET_LENGTH, LOCAL_FAMILIES, TYPE_FLAGS, low};
use crate::{CompileError, Foreign, Program, Rules, Verdict};

/// Makes the program that decides as [`Rules::verdict`] does.
///
/// The number of a call is looked up by halving, so that a call the guard has no interest in costs a handful of
/// instructions; and since no argument is looked at on the way, kernels from 5.11 notice at installation that it always
/// passes, and don't run the filter for it at all.
///
/// # Errors
///
/// Where the program would not fit into the kernel's limits. It does, whatever the values in `rules` are.
pub fn compile(rules: &Rules) -> Result<Program, CompileError> {
    let mut compiler =
        Compiler { assembler: Assembler::new(), ends: Vec::new(), judge: None, bodies: Vec::new(), rules };
    compiler.architectures();
    compiler.finish()
}

/// The calls that exist have numbers below this one, on each architecture.
const IN_USE: u32 = 512;

struct Compiler<'a> {
    assembler: Assembler,
    /// One end for each verdict, shared by all that jump there.
    ends: Vec<(Verdict, Label)>,
    /// Where calls on internet sockets go.
    judge: Option<Label>,
    /// What is behind the numbers, once for all architectures: the arguments are in the same places. The kernel checks,
    /// compiles and tries out all that is installed, which takes longer the more it is.
    bodies: Vec<(Operation, Label)>,
    rules: &'a Rules,
}

impl Compiler<'_> {
    fn architectures(&mut self) {
        self.assembler.load(Field::Arch);
        let abis: Vec<(&Abi, Label)> = ABIS.iter().map(|abi| (abi, self.assembler.label())).collect();
        for (abi, label) in &abis {
            self.assembler.test(Test::Equal, abi.arch, *label, Target::Next);
        }
        self.assembler.end(Verdict::Kill);
        for (abi, label) in abis {
            self.assembler.place(label);
            self.calls(abi);
        }
        for (operation, label) in std::mem::take(&mut self.bodies) {
            self.assembler.place(label);
            self.body(operation);
        }
        if let Some(label) = self.judge {
            self.assembler.place(label);
            self.judge();
        }
    }

    /// Whether a filter with these rules looks at such calls at all. Without a report the guard has no interest in what is
    /// executed, and then there is nothing about it in the program.
    fn concerns(&self, operation: Operation) -> bool {
        operation != Operation::Execute || self.rules.foreign == Foreign::AskAndReport
    }

    /// The lookup of the number.
    fn calls(&mut self, abi: &Abi) {
        let allow = self.end(Verdict::Allow);
        let mut ranges = Vec::with_capacity(32);
        let mut free = Some(0);
        for calls in abi.calls {
            if !self.concerns(calls.operation) {
                continue;
            }
            if free.is_some_and(|free| free < calls.first) {
                ranges.extend(free.map(|free| (free, allow)));
            }
            ranges.push((calls.first, self.behind(calls.operation)));
            free = calls.last.checked_add(1);
        }
        ranges.extend(free.map(|free| (free, allow)));

        self.assembler.load(Field::Number);
        self.lookup(&ranges, IN_USE);
    }

    /// Goes to the label of the last range that doesn't start above the loaded number, of the numbers below `end`. The
    /// first starts at 0.
    ///
    /// Each test halves the *numbers* that remain, not the ranges: nearly all calls are in the few wide ones.
    fn lookup(&mut self, ranges: &[(u32, Label)], end: u32) {
        let Some((start, _)) = ranges.first() else { return };
        let middle = start.midpoint(end);
        let lopsided = |index: &usize| ranges.get(*index).map_or(u32::MAX, |(start, _)| start.abs_diff(middle));
        let (lower, upper) = ranges.split_at((1..ranges.len()).min_by_key(lopsided).unwrap_or(0));
        let Some((start, _)) = upper.first() else { return };
        let mut side = |part: &[(u32, Label)]| match part {
            [(_, label)] => *label,
            _ => self.assembler.label(),
        };
        let (below, above) = (side(lower), side(upper));
        self.assembler.test(Test::AtLeast, *start, above, below);
        for (part, label, end) in [(lower, below, *start), (upper, above, end)] {
            if part.len() > 1 {
                self.assembler.place(label);
                self.lookup(part, end);
            }
        }
    }

    /// The place of what is behind a number.
    fn behind(&mut self, operation: Operation) -> Label {
        match operation {
            Operation::Listen => self.judged(),
            Operation::SocketCall => self.end(Verdict::Refuse(EACCES)),
            Operation::IoUring | Operation::OtherAbi => self.end(Verdict::Refuse(ENOSYS)),
            Operation::TakeDescriptor => self.end(Verdict::Refuse(EPERM)),
            Operation::Execute => self.end(Verdict::Ask),
            _ => {
                if let Some((_, label)) = self.bodies.iter().find(|(known, _)| *known == operation) {
                    return *label;
                }
                let label = self.assembler.label();
                self.bodies.push((operation, label));
                label
            }
        }
    }

    /// Where calls on internet sockets go.
    fn judged(&mut self) -> Label {
        *self.judge.get_or_insert_with(|| self.assembler.label())
    }

    /// What looks at arguments.
    fn body(&mut self, operation: Operation) {
        let (allow, refuse, judge) = (self.end(Verdict::Allow), self.end(Verdict::Refuse(EACCES)), self.judged());
        match operation {
            Operation::Socket => self.socket(judge),
            Operation::SocketPair => {
                self.assembler.load(Field::Low(0));
                self.assembler.test(Test::Equal, libc::AF_UNIX.cast_unsigned(), allow, refuse);
            }
            Operation::Connect => self.address(2, judge),
            Operation::SendTo => {
                let (fast_open, addressed) = (self.end(Verdict::Refuse(EOPNOTSUPP)), self.assembler.label());
                let foreign = self.end(self.rules.foreign());
                self.assembler.load(Field::Low(3));
                self.assembler.test(Test::AnyBit, libc::MSG_FASTOPEN.cast_unsigned(), fast_open, Target::Next);
                self.assembler.load(Field::Low(4));
                self.assembler.test(Test::Equal, 0, Target::Next, addressed);
                self.assembler.load(Field::High(4));
                self.assembler.test(Test::Equal, 0, allow, addressed);
                self.assembler.place(addressed);
                self.address(5, foreign);
            }
            Operation::SendMessage => self.message(2),
            Operation::SendMessages => self.message(3),
            // [`Self::behind`] knows their ends.
            Operation::Listen
            | Operation::SocketCall
            | Operation::IoUring
            | Operation::OtherAbi
            | Operation::Execute
            | Operation::TakeDescriptor => {}
        }
    }

    fn socket(&mut self, judge: Label) {
        let (allow, refuse) = (self.end(Verdict::Allow), self.end(Verdict::Refuse(EACCES)));
        self.assembler.load(Field::Low(0));
        self.any_of(&LOCAL_FAMILIES, allow);
        let internet = self.assembler.label();
        self.one_of(&INTERNET_FAMILIES, internet, refuse);
        self.assembler.place(internet);
        self.assembler.load(Field::Low(1));
        self.assembler.and(!TYPE_FLAGS.cast_unsigned());
        let kinds = CARRIED.map(|(kind, protocols)| (kind, protocols, self.assembler.label()));
        let ([.., (last_kind, _, last_label)], [others @ .., _]) = (&kinds, &kinds);
        for (kind, _, label) in others {
            self.any_of(&[*kind], *label);
        }
        self.one_of(&[*last_kind], *last_label, refuse);
        for (_, protocols, label) in &kinds {
            self.assembler.place(*label);
            self.assembler.load(Field::Low(2));
            self.one_of(protocols, judge, refuse);
        }
    }

    /// By the length of an address: to `internet`, or passed.
    fn address(&mut self, length: usize, internet: Label) {
        let allow = self.end(Verdict::Allow);
        self.assembler.load(Field::Low(length));
        self.assembler.test(Test::Greater, INTERNET_LENGTH - 1, internet, allow);
    }

    fn message(&mut self, flags: usize) {
        if let Some(shown) = self.cookie() {
            let (allow, stranger) = (self.end(Verdict::Allow), self.assembler.label());
            self.compare(shown, allow, stranger);
            self.assembler.place(stranger);
        }
        let (fast_open, foreign) = (self.end(Verdict::Refuse(EOPNOTSUPP)), self.end(self.rules.foreign()));
        self.assembler.load(Field::Low(flags));
        self.assembler.test(Test::AnyBit, libc::MSG_FASTOPEN.cast_unsigned(), fast_open, foreign);
    }

    /// The architecture on which a cookie is shown, and the argument; only the kernel's own one has a preload.
    fn cookie(&self) -> Option<(u32, usize)> {
        ABIS.iter().filter(|_| self.rules.cookie != 0).find_map(|abi| Some((abi.arch, abi.cookie?)))
    }

    /// Passes those with the cookie.
    fn judge(&mut self) {
        match self.cookie() {
            Some(shown) => {
                let (allow, foreign) = (self.end(Verdict::Allow), self.end(self.rules.foreign()));
                self.compare(shown, allow, foreign);
            }
            None => self.assembler.end(self.rules.foreign()),
        }
    }

    /// Compares both halves of the cookie, on the architecture where there is one.
    fn compare(&mut self, (arch, argument): (u32, usize), same: Label, other: Label) {
        let cookie = self.rules.cookie;
        self.assembler.load(Field::Arch);
        self.assembler.test(Test::Equal, arch, Target::Next, other);
        self.assembler.load(Field::Low(argument));
        self.assembler.test(Test::Equal, low(cookie), Target::Next, other);
        self.assembler.load(Field::High(argument));
        self.assembler.test(Test::Equal, low(cookie >> 32), same, other);
    }

    /// To `yes` where the loaded word is one of `values`, else on.
    fn any_of(&mut self, values: &[i32], yes: Label) {
        for value in values {
            self.assembler.test(Test::Equal, value.cast_unsigned(), yes, Target::Next);
        }
    }

    /// To `yes` where the loaded word is one of `values`, else to `no`.
    fn one_of(&mut self, values: &[i32], yes: Label, no: Label) {
        if let [others @ .., last] = values {
            self.any_of(others, yes);
            self.assembler.test(Test::Equal, last.cast_unsigned(), yes, no);
        }
    }

    fn end(&mut self, verdict: Verdict) -> Label {
        let verdict = self.rules.told(verdict);
        if let Some((_, label)) = self.ends.iter().find(|(known, _)| *known == verdict) {
            return *label;
        }
        let label = self.assembler.label();
        self.ends.push((verdict, label));
        label
    }

    fn finish(mut self) -> Result<Program, CompileError> {
        for (verdict, label) in self.ends {
            self.assembler.place(label);
            self.assembler.end(verdict);
        }
        self.assembler.finish()
    }
}

#[cfg(test)]
mod tests;
