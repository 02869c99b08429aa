//! Budgets of money, each for a span of time.

use registration::Timestamp;

/// A budget as it stands: a row per key, and a key per span of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// Whose money for what and when: `account-day/default/20261127`.
    pub key: String,
    /// What was spent, in millionths of the currency.
    pub spent: u64,
    /// Orders that it would have refused, had it been in force.
    pub would_refuse: u64,
    /// When it starts anew; from then on the row may be forgotten.
    pub resets_at: Timestamp,
}

/// Money taken from a budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spend {
    /// Which budget.
    pub key: String,
    /// How much, in millionths of the currency.
    pub amount: u64,
    /// What the budget holds in all.
    pub limit: u64,
    /// When it starts anew.
    pub resets_at: Timestamp,
    /// Refuse what it does not hold; otherwise only count that it would have.
    pub enforced: bool,
}

impl Spend {
    /// The budget after this, or nothing if it has not got so much left.
    #[must_use]
    pub fn draw(&self, before: Option<&Budget>) -> Option<Budget> {
        let (spent, would_refuse) = before.map_or((0, 0), |it| (it.spent, it.would_refuse));
        let after = |spent, would_refuse| Budget {
            key: self.key.clone(),
            spent,
            would_refuse,
            resets_at: self.resets_at,
        };
        match spent.checked_add(self.amount).filter(|sum| *sum <= self.limit) {
            Some(sum) => Some(after(sum, would_refuse)),
            None if self.enforced => None,
            None => Some(after(spent, would_refuse.saturating_add(1))),
        }
    }
}
