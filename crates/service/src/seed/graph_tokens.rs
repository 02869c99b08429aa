//! The Graph tokens of a seed, with the text that it chooses.

use super::apply::Draft;
use super::{SeedAccount, SeedGraphToken};
use crate::directory::{Entity, EntityKind, GraphToken};
use crate::error::ServiceError;
use crate::graph_tokens::{TOKEN_BYTES_MAX, sha256_hex};
use crate::service::Service;

impl Service {
    pub(super) async fn draft_graph_tokens(
        &self,
        draft: &mut Draft<'_>,
        account: &SeedAccount,
    ) -> Result<(), ServiceError> {
        for seed in &account.credentials.graph_tokens {
            self.draft_graph_token(draft, account, seed).await?;
        }
        Ok(())
    }

    async fn draft_graph_token(
        &self,
        draft: &mut Draft<'_>,
        account: &SeedAccount,
        seed: &SeedGraphToken,
    ) -> Result<(), ServiceError> {
        let text = seed.token.reveal();
        if text.len() > TOKEN_BYTES_MAX || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            let rule = "has at most 1024 visible ASCII characters, no spaces";
            draft.clash(format!("graph token {}: a token {rule}", seed.name));
            return Ok(());
        }
        let sha256 = sha256_hex(text);
        let found = self.store.entity_by_lookup(EntityKind::GraphToken, &sha256).await?;
        // A token that is there keeps its id, one that is not gets one that the next seed finds again.
        let id = found.map_or_else(|| format!("gt-seed-{}", &sha256[..12]), |it| it.value.key().id);
        let token = GraphToken {
            id,
            account: account.id.clone(),
            name: seed.name.clone(),
            sha256,
            scopes: seed.scopes,
            wabas: seed.wabas.clone(),
            expires_at: seed.expires_at,
            created_at: draft.now,
        };
        self.draft_entity(draft, Entity::GraphToken(token)).await
    }
}
