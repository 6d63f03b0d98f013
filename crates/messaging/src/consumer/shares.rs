//! How the records of a poll are shared out to transactions.
//!
//! A transaction costs a commit and its statements, however many messages are in it. So partitions share one, until it is
//! worth while to have a second one beside it. A partition is never divided: the order of its records is that of its keys.

use std::collections::BTreeMap;

/// A topic and the number of a partition.
pub(super) type Partition = (String, i32);

/// Some partitions, each with its records in their order: one transaction.
pub(super) type Share<T> = Vec<(Partition, Vec<T>)>;

/// Shares out `polled`: each share but the last has `enough` records or more.
pub(super) fn of<T>(polled: BTreeMap<Partition, Vec<T>>, enough: usize) -> Vec<Share<T>> {
    let (mut shares, mut share, mut records) = (Vec::new(), Share::new(), 0);
    for (partition, of_partition) in polled {
        records += of_partition.len();
        share.push((partition, of_partition));
        if records >= enough {
            shares.push(std::mem::take(&mut share));
            records = 0;
        }
    }
    if !share.is_empty() {
        shares.push(share);
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    fn polled(sizes: &[usize]) -> BTreeMap<Partition, Vec<usize>> {
        let partitions = sizes.iter().zip(0..);
        partitions
            .map(|(&size, number)| (("topic".to_owned(), number), (0..size).collect()))
            .collect()
    }

    fn partitions(shares: &[Share<usize>]) -> Vec<Vec<i32>> {
        let numbers = |share: &Share<usize>| share.iter().map(|((_, number), _)| *number).collect();
        shares.iter().map(numbers).collect()
    }

    #[test]
    fn a_few_records_of_many_partitions_are_one_transaction() {
        let shares = of(polled(&[1, 2, 1, 3, 1, 1]), 125);
        assert_eq!(partitions(&shares), [[0, 1, 2, 3, 4, 5]]);
    }

    #[test]
    fn a_full_poll_is_several_transactions() {
        let shares = of(polled(&[100, 100, 100, 100, 50, 50]), 125);
        assert_eq!(partitions(&shares), [vec![0, 1], vec![2, 3], vec![4, 5]]);
    }

    #[test]
    fn a_partition_is_never_divided_and_keeps_its_order() {
        let shares = of(polled(&[500]), 125);
        assert_eq!(partitions(&shares), [[0]]);
        assert!(shares[0][0].1.is_sorted());
    }

    #[test]
    fn nothing_polled_is_no_transaction() {
        assert!(of(polled(&[]), 125).is_empty());
    }
}
