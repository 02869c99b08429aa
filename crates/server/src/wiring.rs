//! The only place that picks adapters and puts the parts together.

use core::future::Future;
use core::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use crate::data_dir::{DataDir, DataDirError};
use crate::entropy::OsEntropy;
use crate::listener::{RenderRejection, plain_text};

/// What the listener serves, and what has to be done after it.
pub struct App {
    /// Every route.
    pub router: Router,
    /// Words the refusals that no handler sees.
    pub render: RenderRejection,
    /// Writes out what is still in memory; awaited once, after the last request.
    pub flush: Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// The program without dialects: it lives, and the operator has a token.
pub fn app(data: &DataDir) -> Result<App, DataDirError> {
    // Made at the first start, so that scripts find it as soon as the server answers.
    data.operator_token(&OsEntropy)?;
    Ok(App {
        router: Router::new().route("/livez", get(async || "ok\n")),
        render: Arc::new(plain_text),
        flush: Box::pin(async {}),
    })
}
