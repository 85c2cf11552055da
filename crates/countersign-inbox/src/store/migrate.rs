use sqlx::Pool;

use super::Dialect;
use crate::BuildError;

pub(crate) const CREATE_SCHEMA_TABLE: &str =
    "CREATE TABLE IF NOT EXISTS countersign_inbox_schema (version BIGINT NOT NULL PRIMARY KEY)";

/// Creates the tables or brings them to this version. Any number of processes may do it at the same time.
pub(crate) async fn migrate<DB: Dialect>(pool: &Pool<DB>) -> Result<(), BuildError> {
    let mut transaction = DB::begin_migration(pool).await?;
    let present = DB::version(&mut *transaction).await?;
    for (migration, version) in missing::<DB>(present)?.iter().zip(present.saturating_add(1)..) {
        DB::run(&mut *transaction, migration).await?;
        DB::set_version(&mut *transaction, version).await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// Refuses tables of any other version than this one.
pub(crate) async fn check<DB: Dialect>(pool: &Pool<DB>) -> Result<(), BuildError> {
    let present = DB::version(&mut *pool.acquire().await?).await?;
    if missing::<DB>(present)?.is_empty() {
        return Ok(());
    }
    Err(BuildError::SchemaTooOld { present, known: DB::MIGRATIONS.len() })
}

/// The migrations that tables of this version lack.
fn missing<DB: Dialect>(present: i64) -> Result<&'static [&'static str], BuildError> {
    let applied = usize::try_from(present).unwrap_or(usize::MAX);
    DB::MIGRATIONS.get(applied..).ok_or(BuildError::SchemaTooNew { present, known: DB::MIGRATIONS.len() })
}
