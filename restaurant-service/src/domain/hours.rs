//! When a restaurant is open.

use chrono::{DateTime, Datelike, Timelike, Utc, Weekday};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A day of the week, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Day {
    /// Monday.
    Monday,
    /// Tuesday.
    Tuesday,
    /// Wednesday.
    Wednesday,
    /// Thursday.
    Thursday,
    /// Friday.
    Friday,
    /// Saturday.
    Saturday,
    /// Sunday.
    Sunday,
}

/// A time of day in UTC, `HH:MM`, from `00:00` to `24:00`, which is the end of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeOfDay {
    /// Minutes since the day began.
    minutes: u16,
}

/// A text that is no time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a time of day from 00:00 to 24:00")]
pub struct NoTimeOfDay;

/// A span of one day in which the restaurant is open. Over midnight it takes two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// The day.
    pub day: Day,
    /// From.
    #[schema(value_type = String, example = "11:30")]
    pub opens: TimeOfDay,
    /// Until, exclusively.
    #[schema(value_type = String, example = "22:00")]
    pub closes: TimeOfDay,
}

/// When a restaurant is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OpeningHours(Vec<Opening>);

impl OpeningHours {
    /// These spans. None at all: the restaurant is closed until it says otherwise.
    #[must_use]
    pub const fn new(openings: Vec<Opening>) -> Self {
        Self(openings)
    }

    /// The spans.
    #[must_use]
    pub fn openings(&self) -> &[Opening] {
        &self.0
    }

    /// Whether `moment` lies in one of the spans.
    #[must_use]
    pub fn include(&self, moment: DateTime<Utc>) -> bool {
        let (day, time) = (Day::from(moment.weekday()), TimeOfDay::of(moment));
        self.0
            .iter()
            .any(|span| span.day == day && span.opens <= time && time < span.closes)
    }
}

impl TimeOfDay {
    const END: u16 = 24 * 60;

    fn of(moment: DateTime<Utc>) -> Self {
        let minutes = moment.hour() * 60 + moment.minute();
        Self {
            minutes: u16::try_from(minutes).unwrap_or(Self::END),
        }
    }
}

impl TryFrom<String> for TimeOfDay {
    type Error = NoTimeOfDay;

    fn try_from(text: String) -> Result<Self, NoTimeOfDay> {
        let two_digits =
            |text: &str| match text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit()) {
                true => text.parse::<u16>().map_err(|_| NoTimeOfDay),
                false => Err(NoTimeOfDay),
            };
        let (hours, minutes) = text.split_once(':').ok_or(NoTimeOfDay)?;
        let (hours, minutes) = (two_digits(hours)?, two_digits(minutes)?);
        let total = hours * 60 + minutes;
        match minutes < 60 && total <= Self::END {
            true => Ok(Self { minutes: total }),
            false => Err(NoTimeOfDay),
        }
    }
}

impl From<TimeOfDay> for String {
    fn from(time: TimeOfDay) -> Self {
        format!("{:02}:{:02}", time.minutes / 60, time.minutes % 60)
    }
}

impl From<Weekday> for Day {
    fn from(day: Weekday) -> Self {
        match day {
            Weekday::Mon => Self::Monday,
            Weekday::Tue => Self::Tuesday,
            Weekday::Wed => Self::Wednesday,
            Weekday::Thu => Self::Thursday,
            Weekday::Fri => Self::Friday,
            Weekday::Sat => Self::Saturday,
            Weekday::Sun => Self::Sunday,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> TimeOfDay {
        TimeOfDay::try_from(text.to_owned()).unwrap()
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_restaurant_is_open_from_its_opening_until_just_before_its_closing() {
        let hours = OpeningHours::new(vec![Opening {
            day: Day::Friday,
            opens: time("11:30"),
            closes: time("24:00"),
        }]);
        // 2026-01-02 is a Friday.
        assert!(!hours.include(at("2026-01-02T11:29:59Z")));
        assert!(hours.include(at("2026-01-02T11:30:00Z")));
        assert!(hours.include(at("2026-01-02T23:59:59Z")));
        assert!(!hours.include(at("2026-01-03T00:00:00Z")));
    }

    #[test]
    fn no_opening_at_all_is_closed() {
        assert!(!OpeningHours::new(Vec::new()).include(at("2026-01-02T12:00:00Z")));
    }

    #[test]
    fn only_times_of_day_are_times_of_day() {
        for text in [
            "", "1:30", "12:60", "24:01", "25:00", "-1:00", "+1:00", "12:3", "12-30", "aa:bb",
        ] {
            assert!(TimeOfDay::try_from(text.to_owned()).is_err(), "{text}");
        }
        assert_eq!(String::from(time("07:05")), "07:05");
    }
}
