//! Who started whom.

use std::collections::HashMap;

use super::model::Process;

/// Puts each process behind the one that started it, in the order in which they came, and says how deep it is.
pub(crate) fn order(processes: Vec<Process>) -> Vec<Process> {
    let mut by_pid: HashMap<u32, Vec<usize>> = HashMap::new();
    for (index, process) in processes.iter().enumerate() {
        by_pid.entry(process.pid).or_default().push(index);
    }
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); processes.len()];
    let mut roots = Vec::new();
    for (index, process) in processes.iter().enumerate() {
        match parent(&processes, &by_pid, process) {
            Some(parent) => children[parent].push(index),
            None => roots.push(index),
        }
    }
    // Those in a circle, which no kernel makes, have no root above them: they come last, each where it is first met.
    roots.extend(0..processes.len());
    let mut processes: Vec<Option<Process>> = processes.into_iter().map(Some).collect();
    let mut ordered = Vec::with_capacity(processes.len());
    for root in roots {
        let mut next = vec![(root, 0)];
        while let Some((index, depth)) = next.pop() {
            if let Some(process) = processes[index].take() {
                ordered.push(Process { depth, ..process });
                next.extend(children[index].iter().rev().map(|child| (*child, depth + 1)));
            }
        }
    }
    ordered
}

/// Which of the processes started this one: ids are used again, and so it is the last one of that id that started before.
fn parent(processes: &[Process], by_pid: &HashMap<u32, Vec<usize>>, child: &Process) -> Option<usize> {
    let candidates = by_pid.get(&child.parent.filter(|parent| *parent != child.pid)?)?.iter().copied();
    candidates.filter(|index| processes[*index].start <= child.start).max_by_key(|index| processes[*index].start)
}

#[cfg(test)]
mod tests {
    use uwt_report::Event;

    use super::super::collect::Collected;
    use super::super::events::process;
    use super::*;

    fn shape(events: impl IntoIterator<Item = Event>) -> Vec<(u32, usize)> {
        let processes = order(Collected::of(events).processes);
        processes.iter().map(|process| (process.pid, process.depth)).collect()
    }

    #[test]
    fn children_follow_their_parents() {
        let events = [process(1, 99, "sh"), process(2, 1, "git"), process(3, 1, "curl"), process(4, 2, "ssh")];
        assert_eq!(shape(events), [(1, 0), (2, 1), (4, 2), (3, 1)]);
    }

    #[test]
    fn a_parent_may_be_heard_of_later() {
        assert_eq!(shape([process(2, 1, "curl"), process(1, 99, "sh")]), [(1, 0), (2, 1)]);
    }

    #[test]
    fn an_id_that_is_used_again_has_children_of_its_own() {
        let at = |start, event| Event { start, ..event };
        let events = [
            at(1, process(5, 99, "a")),
            at(9, process(5, 99, "b")),
            at(5, process(6, 5, "of-a")),
            at(12, process(7, 5, "of-b")),
        ];
        assert_eq!(shape(events), [(5, 0), (6, 1), (5, 0), (7, 1)]);
    }

    #[test]
    fn nobody_is_left_out_of_a_circle() {
        assert_eq!(shape([process(1, 2, "a"), process(2, 1, "b"), process(3, 3, "c")]), [(3, 0), (1, 0), (2, 1)]);
    }
}
