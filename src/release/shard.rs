//! One part of a folder for each of several machines: which of its things are whose.
//!
//! The assignment is a function of the listing alone, so that machines that see the same folder agree
//! without talking to each other. It balances bytes, not numbers.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::limits;

/// Part `part` of `of`, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShardIndex {
    part: u32,
    of: u32,
}

impl ShardIndex {
    /// A part, if there is such a one.
    #[must_use]
    pub const fn new(part: u32, of: u32) -> Option<Self> {
        if part >= 1 && part <= of && of <= limits::SHARDS { Some(Self { part, of }) } else { None }
    }

    /// Which one, from 1.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.part
    }

    /// Of how many.
    #[must_use]
    pub const fn count(self) -> u32 {
        self.of
    }
}

/// What judging costs in addition to reading, in bytes that could be hashed in that time.
const FIXED_COST: u64 = 1 << 20;

/// The part, from 1, of each thing, in the order given; `sizes` are names and bytes.
///
/// The largest comes first and goes to the part that has least so far; equal ones go by name. So parts
/// differ by less than the largest thing, and the same listing gives the same parts everywhere.
#[must_use]
pub fn assign(sizes: &[(&str, u64)], parts: u32) -> Vec<u32> {
    let mut order: Vec<(usize, &(&str, u64))> = sizes.iter().enumerate().collect();
    order.sort_by_key(|(_, (name, size))| (Reverse(*size), *name));
    let mut least: BinaryHeap<Reverse<(u64, u32)>> =
        (1..=parts.max(1)).map(|part| Reverse((0, part))).collect();
    let mut assigned = vec![0; sizes.len()];
    for (index, (_, size)) in order {
        let Some(Reverse((load, part))) = least.pop() else { continue };
        if let Some(slot) = assigned.get_mut(index) {
            *slot = part;
        }
        let load = load.saturating_add(*size).saturating_add(FIXED_COST);
        least.push(Reverse((load, part)));
    }
    assigned
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn there_is_no_part_outside_the_whole() {
        assert!(ShardIndex::new(1, 1).is_some() && ShardIndex::new(3, 3).is_some());
        for (part, of) in [(0, 3), (4, 3), (1, 0), (1, u32::MAX)] {
            assert_eq!(ShardIndex::new(part, of), None, "{part}/{of}");
        }
    }

    proptest! {
        #[test]
        fn parts_are_balanced_and_do_not_depend_on_the_order(
            sizes in proptest::collection::vec(0_u64..100 << 20, 0..200),
            parts in 1_u32..9,
        ) {
            let names: Vec<String> = (0..sizes.len()).map(|number| format!("{number:03}")).collect();
            let things: Vec<(&str, u64)> =
                names.iter().map(String::as_str).zip(sizes.iter().copied()).collect();
            let assigned = assign(&things, parts);
            prop_assert!(assigned.iter().all(|part| (1..=parts).contains(part)));
            let mut turned = things.clone();
            turned.reverse();
            let mut again = assign(&turned, parts);
            again.reverse();
            prop_assert_eq!(&assigned, &again);
            let load = |part: u32| -> u64 {
                let own = things.iter().zip(&assigned).filter(|(_, assigned)| **assigned == part);
                own.map(|((_, size), _)| size + FIXED_COST).sum()
            };
            let loads: Vec<u64> = (1..=parts).map(load).collect();
            let largest = sizes.iter().max().map_or(0, |size| size + FIXED_COST);
            let spread = loads.iter().max().unwrap() - loads.iter().min().unwrap();
            prop_assert!(spread <= largest, "{loads:?}");
        }
    }
}
