use sqlx::Pool;

use super::Dialect;
use crate::BuildError;

pub(crate) const CREATE_SCHEMA_TABLE: &str =
    "CREATE TABLE IF NOT EXISTS countersign_inbox_schema (version BIGINT NOT NULL PRIMARY KEY)";

/// Creates the tables or brings them to this version. Any number of processes may do it at the same time.
pub(crate) async fn migrate<DB: Dialect>(pool: &Pool<DB>) -> Result<(), BuildError> {
    let mut transaction = DB::begin_migration(pool).await?;
    let present = DB::version(&mut *transaction).await?;
    let applied = usize::try_from(present).unwrap_or(usize::MAX);
    let Some(missing) = DB::MIGRATIONS.get(applied..) else {
        return Err(BuildError::SchemaTooNew { present, known: DB::MIGRATIONS.len() });
    };
    for (migration, version) in missing.iter().zip(present.saturating_add(1)..) {
        DB::run(&mut *transaction, migration).await?;
        DB::set_version(&mut *transaction, version).await?;
    }
    transaction.commit().await?;
    Ok(())
}
