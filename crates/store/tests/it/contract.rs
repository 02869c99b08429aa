//! The contract of all stores.

use std::sync::Arc;

use service::ports::Store;

use crate::Database;

fn fresh() -> (Arc<dyn Store>, Database) {
    let database = Database::new();
    (database.open(), database)
}

service::store_contract!(fresh());
