//! The JUnit report of CPython's test runner.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// How one case ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    Skipped,
    Failed,
    Error,
}

/// The results of a run.
#[derive(Debug)]
pub(crate) struct Report {
    cases: BTreeMap<String, Outcome>,
    log: String,
}

/// A case whose results differ; `None` where it was not run.
#[derive(Debug)]
pub(crate) struct Difference {
    pub(crate) case: String,
    bare: Option<Outcome>,
    wrapped: Option<Outcome>,
}

impl Report {
    /// Reads the XML that the runner wrote, each case on its own element; `log` is what it printed.
    pub(crate) fn parse(xml: &str, log: String) -> Self {
        // Text is escaped, so these can only be tags and attributes.
        let cases = xml.split("<testcase ").skip(1).map(|case| {
            let name = case.split_once("name=\"").and_then(|(_, rest)| rest.split_once('"'));
            let (name, rest) = name.unwrap_or_else(|| panic!("a case has a name: {case}"));
            let tags = [("<error", Outcome::Error), ("<failure", Outcome::Failed), ("<skipped", Outcome::Skipped)];
            let outcome = tags.into_iter().find(|(tag, _)| rest.contains(tag)).map_or(Outcome::Passed, |found| found.1);
            (name.to_owned(), outcome)
        });
        Self { cases: cases.collect(), log }
    }

    /// How many cases of a module passed.
    pub(crate) fn passed_in(&self, module: &str) -> usize {
        let prefix = format!("test.{module}.");
        let ours = self.cases.iter().filter(|(name, _)| name.starts_with(&prefix));
        ours.filter(|(_, outcome)| **outcome == Outcome::Passed).count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cases; the runner said:\n{}", self.cases.len(), self.log)
    }
}

/// All cases of either run whose results differ.
pub(crate) fn compare(bare: &Report, wrapped: &Report) -> Vec<Difference> {
    let names: BTreeSet<&String> = bare.cases.keys().chain(wrapped.cases.keys()).collect();
    let all = names.into_iter().map(|case| Difference {
        case: case.clone(),
        bare: bare.cases.get(case).copied(),
        wrapped: wrapped.cases.get(case).copied(),
    });
    all.filter(|difference| difference.bare != difference.wrapped).collect()
}

impl Difference {
    /// The arguments of the runner that run this case and as little else as possible.
    pub(crate) fn alone(&self) -> Vec<&str> {
        // test.MODULE.CLASS.METHOD; what is set up for a class or a module has its name within parentheses.
        let start = self.case.find("test.test_").map_or(0, |at| at + "test.".len());
        // A module may be in a package, test.test_asyncio.test_events.
        let parts = self.case[start..].split_inclusive(['.', ')']).take_while(|part| part.starts_with("test_"));
        let end = start + parts.map(str::len).sum::<usize>();
        let module = self.case[start..end].trim_end_matches(['.', ')']);
        if self.case.contains('(') { vec![module] } else { vec!["--match", &self.case, module] }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: bare {:?}, below uwt {:?}", self.case, self.bare, self.wrapped)
    }
}

#[test]
fn outcomes_and_differences() {
    let bare = "<testsuites><testsuite><testcase name=\"test.test_a.C.one\" status=\"run\" result=\"completed\" \
                time=\"0.1\" /><testcase name=\"test.test_a.C.two\"><skipped>why</skipped></testcase><testcase \
                name=\"test.test_a.C.three\"><failure>&lt;error</failure></testcase></testsuite></testsuites>";
    let wrapped = bare.replace("skipped>", "error>").replace("C.three", "C.four");
    let (bare, wrapped) = (Report::parse(bare, String::new()), Report::parse(&wrapped, String::new()));
    assert_eq!(bare.passed_in("test_a"), 1);
    let found: Vec<String> = compare(&bare, &wrapped).iter().map(Difference::to_string).collect();
    assert_eq!(
        found,
        [
            "test.test_a.C.four: bare None, below uwt Some(Failed)",
            "test.test_a.C.three: bare Some(Failed), below uwt None",
            "test.test_a.C.two: bare Some(Skipped), below uwt Some(Error)",
        ]
    );
    let class = Difference { case: "setUpClass (test.test_b.C)".to_owned(), bare: None, wrapped: None };
    assert_eq!(class.alone(), ["test_b"]);
    let within = Difference { case: "test.test_c.test_d.E.test_f".to_owned(), bare: None, wrapped: None };
    assert_eq!(within.alone(), ["--match", "test.test_c.test_d.E.test_f", "test_c.test_d"]);
    assert_eq!(compare(&bare, &wrapped)[0].alone(), ["--match", "test.test_a.C.four", "test_a"]);
    assert!(compare(&bare, &bare).is_empty());
}
