use roxmltree::{Document, Node};
use unicode_width::UnicodeWidthStr as _;
use uwt_report::{Event, GuardLevel, Layer, Transport};

use super::super::audit;
use super::super::events::{begin, by, connection, end, failed, process, refused};
use super::super::run::Run;
use super::*;

const TOKEN: &str = "uwt-0123456789abcdef0123456789abcdef";

fn drawn(events: impl IntoIterator<Item = Event>) -> String {
    draw(&audit(events, Run::default()))
}

/// Everything that may go wrong in a text.
fn difficult() -> String {
    let mut events = vec![begin(GuardLevel::Tunnel, "process")];
    events.push(process(1, 99, "/bin/a<b>&\"c\"'d'\u{1b}[2J\u{0}\u{ffff}"));
    events.push(connection(1, &"語".repeat(100), Some(TOKEN)));
    for pid in 2..30 {
        events.push(process(pid, pid - 1, &format!("/bin/{}", "]]>".repeat(40))));
        events.push(connection(pid, "a.test", Some(TOKEN)));
        events.push(by(Layer::Cage, pid, &format!("{pid}.test"), None));
        events.push(refused(Layer::Guard, pid, Transport::Udp));
        events.push(failed(pid, &"very.".repeat(60), &format!("uwt-{pid}")));
    }
    drawn(events)
}

/// Its number of this name.
fn number(node: Node<'_, '_>, name: &str) -> usize {
    node.attribute(name).unwrap_or_else(|| panic!("{name} of {node:?}")).parse().unwrap()
}

/// Left, top, right and bottom of each box, with its group.
fn boxes<'a>(document: &'a Document<'a>) -> Vec<(Node<'a, 'a>, [usize; 4])> {
    let edges = document.descendants().filter(|node| node.attribute("class") == Some("box"));
    let boxes = edges.map(|edge| {
        let (x, y) = (number(edge, "x"), number(edge, "y"));
        (edge.parent().unwrap(), [x, y, x + number(edge, "width"), y + number(edge, "height")])
    });
    boxes.collect()
}

#[test]
fn boxes_do_not_overlap_and_hold_their_texts() {
    let picture = difficult();
    let document = Document::parse(&picture).unwrap_or_else(|error| panic!("{error}: {picture}"));
    let boxes = boxes(&document);
    assert!(boxes.len() > 29 * 3, "{}", boxes.len());
    let paper = [number(document.root_element(), "width"), number(document.root_element(), "height")];
    for (index, (group, edges)) in boxes.iter().enumerate() {
        let [left, top, right, bottom] = *edges;
        assert!(right <= paper[0] && bottom <= paper[1], "{edges:?}");
        for (_, other) in &boxes[index + 1..] {
            let apart = right <= other[0] || other[2] <= left || bottom <= other[1] || other[3] <= top;
            assert!(apart, "{edges:?} {other:?}");
        }
        for text in group.children().filter(|child| child.has_tag_name("text")) {
            let width = text.text().unwrap_or_default().trim().width() * LETTER;
            assert!(number(text, "x") >= left && number(text, "x") + width <= right, "{text:?}");
            assert!((top..bottom).contains(&number(text, "y")), "{text:?}");
        }
    }
}

#[test]
fn what_is_shortened_is_in_a_title() {
    let long = "a-name-that-does-not-fit-into-a-box-of-the-picture.example.com";
    let picture = drawn([begin(GuardLevel::Tunnel, "process"), connection(7, long, Some(TOKEN)), end()]);
    let document = Document::parse(&picture).unwrap();
    let texts = |tag: &'static str| {
        document.descendants().filter(move |node| node.has_tag_name(tag)).filter_map(|node| node.text()).map(str::trim)
    };
    assert!(texts("title").any(|text| text.starts_with(&format!("{long}:443\n"))), "{picture}");
    assert!(texts("text").any(|text| text.starts_with("a-name-") && text.contains('…')), "{picture}");
    assert_eq!(texts("title").next(), Some("a report: isolated"));
}

#[test]
fn curves_join_what_belongs_together() {
    let picture = Picture::of(&audit(
        [
            begin(GuardLevel::Tunnel, "process"),
            connection(7, "a.test", Some("uwt-1")),
            connection(7, "a.test", Some("uwt-1")),
            connection(8, "a.test", Some("uwt-2")),
            refused(Layer::Preload, 8, Transport::Udp),
        ],
        Run::default(),
    ));
    assert_eq!(picture.columns.each_ref().map(Vec::len), [2, 3, 2]);
    let curves: Vec<_> = picture.curves.iter().map(|it| (it.column, it.from, it.to, it.class)).collect();
    let expected = [
        (0, 0, 0, "line good"),
        (0, 1, 1, "line good"),
        (0, 1, 2, "line warn dash"),
        (1, 0, 0, "line good"),
        (1, 1, 0, "line good"),
        (1, 2, 1, "line warn dash"),
    ];
    assert_eq!(curves, expected);
}

#[test]
fn a_picture_has_an_end() {
    let events = (0..500).flat_map(|pid| {
        [process(pid + 1, 0, "/bin/a"), connection(pid + 1, &format!("{pid}.test"), Some(&format!("uwt-{pid}")))]
    });
    let picture = drawn(std::iter::once(begin(GuardLevel::Tunnel, "process")).chain(events));
    let document = Document::parse(&picture).unwrap();
    // One more says that there are more processes.
    assert_eq!(boxes(&document).len(), 3 * MOST + 1);
    assert!(picture.contains("and 300 more processes"), "{picture}");
}
