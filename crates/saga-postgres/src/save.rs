//! Writing sagas, their history and their data: one statement for all of them.

use chrono::{DateTime, Utc};
use messaging::sql;
use saga::{Awaited, Instance, Ordered, Purpose, Record};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, Statement, Value};
use uuid::Uuid;

use crate::{
    Data, Fragment,
    row::{Saga, signed, unreadable},
};

/// A saga to be written.
pub(crate) struct Row<'a> {
    pub(crate) id: Uuid,
    pub(crate) saga: &'a Saga,
    pub(crate) records: &'a [Record],
}

/// The parameters of [`HISTORY`].
const HISTORY_PARAMETERS: usize = 10;
const HISTORY: &str = "\
INSERT INTO saga_history (saga_id, number, attempt, at, message_id, step, what, kind, ordered_by, ordered_why)
SELECT saga_id, number, attempt, at, NULLIF(message_id, '00000000-0000-0000-0000-000000000000'), step, what, NULLIF(kind, ''),
       NULLIF(ordered_by, ''), NULLIF(ordered_why, '')
FROM (SELECT
    unnest({1}::uuid[]) AS saga_id, unnest({2}::int[]) AS number, unnest({3}::int[]) AS attempt,
    unnest({4}::timestamptz[]) AS at, unnest({5}::uuid[]) AS message_id, unnest({6}::text[]) AS step,
    unnest({7}::text[]) AS what, unnest({8}::text[]) AS kind, unnest({9}::text[]) AS ordered_by,
    unnest({10}::text[]) AS ordered_why
) AS record";

const ROWS: &str = "\
(SELECT
    unnest({1}::uuid[]) AS saga_id, unnest({2}::text[]) AS state, unnest({3}::text[]) AS step, unnest({4}::uuid[]) AS awaited,
    unnest({5}::text[]) AS purpose, unnest({6}::int[]) AS attempt, unnest({7}::timestamptz[]) AS sent_at,
    unnest({8}::text[]) AS command, unnest({9}::text[]) AS memory, unnest({10}::int[]) AS records,
    unnest({11}::timestamptz[]) AS updated_at, unnest({12}::text[]) AS definition, unnest({13}::int[]) AS version
) AS new";
/// A moment is stored for a command only; the driver's arrays have no nulls.
const VALUES: &str = "\
new.state, new.step, NULLIF(new.awaited, '00000000-0000-0000-0000-000000000000'), NULLIF(new.purpose, ''), new.attempt,
CASE WHEN new.purpose <> '' THEN new.sent_at END, NULLIF(new.command, ''), NULLIF(new.memory, '')::jsonb, new.records, new.updated_at";
const COLUMNS: &str =
    "state, step, awaited, purpose, attempt, sent_at, command, memory, records, updated_at";

/// Adds sagas with their data.
pub(crate) async fn insert<D: Data>(
    db: &DatabaseTransaction,
    rows: &[Row<'_>],
    data: &[&D],
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let sagas = format!(
        "INSERT INTO sagas (saga_id, definition, version, started_at, {COLUMNS}) \
         SELECT new.saga_id, new.definition, new.version, new.updated_at, {VALUES} FROM {ROWS}"
    );
    write(db, D::insert(data)?, &sagas, rows, now).await
}

/// Changes sagas with their data, where that changed.
pub(crate) async fn update<D: Data>(
    db: &DatabaseTransaction,
    rows: &[Row<'_>],
    data: &[&D],
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let sagas = format!(
        "UPDATE sagas saga SET ({COLUMNS}) = ROW({VALUES}) FROM {ROWS} WHERE saga.saga_id = new.saga_id"
    );
    write(db, D::update(data)?, &sagas, rows, now).await
}

/// Data, history and sagas in one statement: the parts of a `WITH` are one round trip and one moment.
async fn write(
    db: &DatabaseTransaction,
    data: Fragment,
    sagas: &str,
    rows: &[Row<'_>],
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let before = data.values.len();
    let history = numbered(HISTORY, before);
    let sagas = numbered(sagas, before + HISTORY_PARAMETERS);
    let statement = format!(
        "WITH data AS ({}), history AS ({history}) {sagas}",
        data.sql
    );
    let mut values = data.values;
    values.extend(history_values(rows));
    values.extend(saga_values(rows, now)?);
    db.execute_raw(Statement::from_sql_and_values(
        DbBackend::Postgres,
        statement,
        values,
    ))
    .await?;
    Ok(())
}

/// Numbers the parameters `{1}`, `{2}`… behind `before` others.
fn numbered(sql: &str, before: usize) -> String {
    let number = |mut sql: String, position: usize| {
        sql = sql.replace(
            &format!("{{{position}}}"),
            &format!("${}", before + position),
        );
        sql
    };
    (1..=13).fold(sql.to_owned(), number)
}

fn history_values(rows: &[Row<'_>]) -> [Value; HISTORY_PARAMETERS] {
    let records = || {
        rows.iter()
            .flat_map(|row| row.records.iter().map(|record| (row.id, record)))
    };
    [
        sql::uuids(records().map(|(id, _)| id)),
        sql::ints(records().map(|(_, record)| signed(record.number))),
        sql::ints(records().map(|(_, record)| signed(record.attempt))),
        sql::times(records().map(|(_, record)| record.at)),
        sql::optional_uuids(records().map(|(_, record)| record.message)),
        sql::texts(records().map(|(_, record)| &record.step)),
        sql::texts(records().map(|(_, record)| record.what.as_str())),
        sql::optional_texts(records().map(|(_, record)| record.kind.as_deref())),
        sql::optional_texts(records().map(|(_, record)| ordered(record).map(|it| &it.by))),
        sql::optional_texts(records().map(|(_, record)| ordered(record).map(|it| &it.why))),
    ]
}

fn ordered(record: &Record) -> Option<&Ordered> {
    record.ordered.as_ref()
}

fn saga_values(rows: &[Row<'_>], now: DateTime<Utc>) -> Result<Vec<Value>, DbErr> {
    let instances = || rows.iter().map(|row| &row.saga.instance);
    let awaited = || instances().map(|instance| instance.awaited.as_ref());
    let commands = rows.iter().map(|row| row.saga.command.as_ref());
    let commands = commands.map(|command| command.map(serde_json::to_string).transpose());
    let commands: Vec<Option<String>> = commands.collect::<Result<_, _>>().map_err(unreadable)?;
    let memories: Vec<Option<String>> = instances().map(memory).collect::<Result<_, _>>()?;
    let purpose =
        |awaited: Option<&Awaited>| awaited.map(|awaited| Purpose::as_str(awaited.purpose));
    Ok(vec![
        sql::uuids(rows.iter().map(|row| row.id)),
        sql::texts(instances().map(|instance| instance.state.as_str())),
        sql::texts(instances().map(|instance| &instance.step)),
        sql::optional_uuids(awaited().map(|awaited| awaited.map(|awaited| awaited.id))),
        sql::optional_texts(awaited().map(purpose)),
        sql::ints(awaited().map(|awaited| awaited.map_or(0, |awaited| signed(awaited.attempt)))),
        sql::times(awaited().map(|awaited| awaited.map_or(now, |awaited| awaited.sent_at))),
        sql::optional_texts(commands),
        sql::optional_texts(memories),
        sql::ints(instances().map(|instance| signed(instance.records))),
        sql::times(rows.iter().map(|_| now)),
        sql::texts(instances().map(|instance| &instance.definition)),
        sql::ints(instances().map(|instance| signed(instance.version))),
    ])
}

fn memory(instance: &Instance) -> Result<Option<String>, DbErr> {
    let memory = Some(&instance.memory).filter(|memory| !memory.is_empty());
    memory
        .map(serde_json::to_string)
        .transpose()
        .map_err(unreadable)
}
