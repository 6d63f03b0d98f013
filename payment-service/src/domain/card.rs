//! A card as its holder types it: checked for what can be known without asking anybody.

use chrono::{DateTime, Datelike, Utc};

use super::Secret;

/// How many digits a card number may have (ISO/IEC 7812).
const DIGITS: std::ops::RangeInclusive<usize> = 12..=19;

/// A card on its way to the gateway. It is never kept.
#[derive(Debug)]
pub struct Card {
    /// The number, digits only.
    pub number: Secret,
    /// Its last month.
    pub expiry: Expiry,
    /// The check code.
    pub cvc: Secret,
}

/// The last month in which a card may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expiry {
    /// Four digits.
    pub year: i16,
    /// 1 to 12.
    pub month: i16,
}

impl Expiry {
    /// Whether the last day of the last month is over.
    #[must_use]
    pub fn has_passed(self, now: DateTime<Utc>) -> bool {
        let last = (i32::from(self.year), i32::from(self.month));
        let this = (now.year(), i32::try_from(now.month()).unwrap_or(0));
        last < this
    }
}

/// The digits of a card number that may have been typed in groups.
///
/// # Errors
/// What is wrong with it, without saying what it was.
pub fn number(typed: &Secret) -> Result<Secret, &'static str> {
    let typed = typed.expose();
    if !typed
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b' ' || byte == b'-')
    {
        return Err("must be digits, in groups or not");
    }
    let digits = Secret::new(typed.chars().filter(char::is_ascii_digit).collect());
    if !DIGITS.contains(&digits.expose().len()) {
        return Err("must have 12 to 19 digits");
    }
    if !has_luhn_sum(digits.expose()) {
        return Err("is mistyped: its check digit does not fit");
    }
    Ok(digits)
}

/// Checks the form of a CVC.
///
/// # Errors
/// What is wrong with it, without saying what it was.
pub fn check_cvc(cvc: &Secret) -> Result<(), &'static str> {
    let cvc = cvc.expose().as_bytes();
    let fits = matches!(cvc.len(), 3 | 4) && cvc.iter().all(u8::is_ascii_digit);
    fits.then_some(()).ok_or("must be 3 or 4 digits")
}

/// The Luhn formula: from the right, every second digit counts double, and the digits' sum ends in 0.
fn has_luhn_sum(digits: &str) -> bool {
    let weighted = digits.bytes().rev().enumerate().map(|(place, byte)| {
        let digit = u32::from(byte - b'0');
        match (place % 2, digit) {
            (0, _) => digit,
            (_, 0..=4) => digit * 2,
            _ => digit * 2 - 9,
        }
    });
    weighted.sum::<u32>().is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;

    fn check(typed: &str) -> Result<String, &'static str> {
        number(&Secret::new(typed.to_owned())).map(|digits| digits.expose().to_owned())
    }

    #[test]
    fn numbers_of_all_lengths_pass_when_their_check_digit_fits() {
        for valid in [
            "4242424242424242",
            "5555555555554444",
            "378282246310005",
            "6304000000000000",
        ] {
            assert_eq!(check(valid), Ok(valid.to_owned()));
        }
        assert_eq!(
            check("4242 4242-4242 4242"),
            Ok("4242424242424242".to_owned())
        );
    }

    #[test]
    fn what_is_no_card_number_is_refused_and_not_repeated() {
        for invalid in [
            "",
            "4242",
            "4242424242424241",
            "42424242424242424242",
            "4242x24242424242",
            "٤٢٤٢٤٢٤٢٤٢٤٢",
        ] {
            let reason = check(invalid).unwrap_err();
            assert!(invalid.is_empty() || !reason.contains(invalid));
        }
    }

    #[test]
    fn a_cvc_is_three_or_four_digits() {
        let check = |cvc: &str| check_cvc(&Secret::new(cvc.to_owned())).is_ok();
        assert!(check("123") && check("0123"));
        assert!(!check("12") && !check("12345") && !check("12a") && !check(" 12"));
    }

    #[test]
    fn a_card_is_good_until_the_end_of_its_last_month() {
        let expiry = Expiry {
            year: 2027,
            month: 2,
        };
        let passed = |year, month, day| {
            expiry.has_passed(Utc.with_ymd_and_hms(year, month, day, 23, 59, 59).unwrap())
        };
        assert!(!passed(2026, 12, 31) && !passed(2027, 2, 28));
        assert!(passed(2027, 3, 1) && passed(2028, 1, 1));
    }
}
