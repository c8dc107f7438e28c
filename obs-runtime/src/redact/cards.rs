//! Payment card numbers: an issuer's prefix, the issuer's length, and a valid Luhn checksum.

use crate::redact::spans::Spans;

/// The groupings of digits that card numbers are written in.
const GROUPINGS: [&[usize]; 4] = [&[4, 4, 4, 4], &[4, 6, 5], &[4, 4, 4, 4, 3], &[4, 6, 4]];

/// Adjacent digits.
struct Group {
    start: usize,
    end: usize,
}

/// Finds card numbers, without separators or in a usual grouping. Parts of longer words, such as UUIDs, hashes and names, are
/// not matched.
pub fn find(text: &str, spans: &mut Spans) {
    let bytes = text.as_bytes();
    let mut index = 0;
    while index < bytes.len() {
        if !bytes[index].is_ascii_digit() {
            index += 1;
            continue;
        }
        let groups = groups(bytes, index);
        index = groups.last().map_or(index + 1, |group| group.end);
        find_in_groups(bytes, &groups, spans);
    }
}

/// The groups of digits that start at `start`, separated by a single space or dash each.
fn groups(bytes: &[u8], mut start: usize) -> Vec<Group> {
    let mut groups = Vec::new();
    loop {
        let end = start + bytes[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        groups.push(Group { start, end });
        match bytes[end..] {
            [b' ' | b'-', digit, ..] if digit.is_ascii_digit() => start = end + 1,
            _ => return groups,
        }
    }
}

fn find_in_groups(bytes: &[u8], groups: &[Group], spans: &mut Spans) {
    for (first, group) in groups.iter().enumerate() {
        let length = |count: usize| groups[first..].get(..count);
        let grouped = GROUPINGS.iter().filter_map(|grouping| {
            let found = length(grouping.len())?;
            let same = |pair: &[Group]| bytes[pair[0].end] == bytes[found[0].end];
            let fits = found.iter().zip(*grouping).all(|(group, size)| group.end - group.start == *size);
            (fits && found.windows(2).all(same)).then_some(found)
        });
        let card = grouped.chain(length(1)).find(|found| {
            let end = found[found.len() - 1].end;
            stands_alone(bytes, group.start, end)
                && is_card(&bytes[group.start..end])
                && !(found.len() == 1 && is_identifier(&bytes[..group.start]))
        });
        if let Some(found) = card {
            spans.add(group.start..found[found.len() - 1].end);
        }
    }
}

/// Whether a number follows a word that names something else than a card: `order_id=`, `row `, `"offset": `.
fn is_identifier(before: &[u8]) -> bool {
    const NAMES: [&[u8]; 24] = [
        b"id",
        b"ids",
        b"uid",
        b"guid",
        b"oid",
        b"row",
        b"rows",
        b"offset",
        b"job",
        b"run",
        b"batch",
        b"seq",
        b"sequence",
        b"lsn",
        b"ts",
        b"timestamp",
        b"order",
        b"request",
        b"trace",
        b"version",
        b"bytes",
        b"count",
        b"snapshot",
        b"partition",
    ];
    /// Spaces, a separator and a quote, which may be escaped.
    const MAX_BETWEEN: usize = 40;
    let is_between = |byte: &&u8| matches!(byte, b' ' | b'=' | b':' | b'#' | b'"' | b'\'' | b'\\');
    let between = before.iter().rev().take(MAX_BETWEEN).take_while(is_between).count();
    let before = &before[..before.len() - between];
    let word = before.iter().rev().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let word = &before[before.len() - word..];
    // `orderId`
    let ends = NAMES.iter().any(|name| word.eq_ignore_ascii_case(name));
    between > 0 && (ends || word.ends_with(b"Id"))
}

/// Whether no word continues at either side.
fn stands_alone(bytes: &[u8], start: usize, end: usize) -> bool {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let before = match bytes[..start] {
        [.., word, b'-' | b'.'] => is_word(&word),
        [.., byte] => is_word(&byte),
        [] => false,
    };
    let after = match bytes[end..] {
        [b'-', word, ..] => is_word(&word),
        [b'.', digit, ..] => digit.is_ascii_digit(),
        [byte, ..] => is_word(&byte),
        [] => false,
    };
    !before && !after
}

fn is_card(text: &[u8]) -> bool {
    let mut digits = [0; 19];
    let mut count = 0;
    for digit in text.iter().filter(|byte| byte.is_ascii_digit()).map(|byte| byte - b'0') {
        let Some(place) = digits.get_mut(count) else { return false };
        *place = digit;
        count += 1;
    }
    let digits = &digits[..count];
    count >= 13 && is_of_issuer(digits) && luhn(digits)
}

/// Whether a known issuer uses this prefix with this length.
fn is_of_issuer(digits: &[u8]) -> bool {
    let first = |count: usize| digits[..count].iter().fold(0, |number, digit| number * 10 + u32::from(*digit));
    let begins = (first(2), first(3), first(4));
    match (begins, digits.len()) {
        // Visa
        ((40..=49, ..), 13 | 16 | 19)
        // Mastercard
        | ((51..=55, ..) | (_, _, 2221..=2720), 16)
        // American Express
        | ((34 | 37, ..), 15)
        // Diners Club
        | ((36 | 38 | 39, ..) | (_, 300..=305, _), 14)
        // Discover, JCB, UnionPay
        | ((65 | 62, ..) | (_, 644..=649, _) | (_, _, 6011 | 3528..=3589), 16..=19) => true,
        _ => false,
    }
}

fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, u32::from(*digit) * 2) {
            (0, _) => u32::from(*digit),
            (_, double) => double / 10 + double % 10,
        })
        .sum();
    sum.is_multiple_of(10) && digits.iter().any(|digit| *digit != digits[0])
}
