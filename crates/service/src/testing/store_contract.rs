//! What every store must do, as one suite of checks that each backend runs on itself.
//!
//! ```text
//! // `store` is an `Arc<dyn Store>` that is empty; `kept` is dropped after the check.
//! service::store_contract!((store, kept));
//! ```
//!
//! The checks speak to the port alone, so a new backend owes nothing but a way to open an empty store.
#![expect(missing_docs, reason = "the name of a check is the fact it checks")]
#![expect(clippy::missing_panics_doc, reason = "a check panics when the fact does not hold")]

pub mod allowances;
pub mod audit;
pub mod budgets;
pub mod callbacks;
pub mod directory;
pub mod nonces;
pub mod numbers;
pub mod sample;
pub mod sends;
pub mod units;
pub mod upkeep;

/// Makes one test of each check. The expression opens a fresh store: `(Arc<dyn Store>, guard)`.
#[macro_export]
macro_rules! store_contract {
    ($open:expr) => {
        $crate::store_contract! { @tests $open;
            units::a_write_on_an_old_version_is_a_conflict,
            units::one_of_many_racing_writers_wins,
            units::a_conflict_does_not_harm_its_neighbours,
            units::a_conflict_leaves_nothing_of_its_unit,
            units::a_throttled_unit_leaves_nothing,
            units::ids_of_sends_are_used_once,
            allowances::an_allowance_is_exact_under_parallel_takes,
            allowances::an_allowance_earns_its_requests_back_one_by_one,
            allowances::a_forgiven_allowance_is_whole_again,
            allowances::a_clock_turned_back_does_not_lock_an_allowance,
            allowances::a_unit_pays_for_each_of_its_takes_or_for_none,
            nonces::a_key_for_once_is_taken_once,
            nonces::one_of_many_racing_for_a_key_wins,
            nonces::a_repeated_unit_leaves_nothing,
            nonces::a_key_is_remembered_until_it_is_swept_in_its_time,
            numbers::every_field_of_a_record_is_kept,
            numbers::a_number_is_found_by_its_client_wherever_it_moves,
            numbers::the_latest_pending_request_of_a_client_is_found,
            numbers::the_latest_pending_request_of_a_waba_without_a_client_is_found,
            numbers::a_number_is_found_by_its_claims,
            numbers::a_client_holds_one_number,
            numbers::clients_can_swap_numbers_in_one_unit,
            numbers::a_claim_belongs_to_one_number_and_one_waba_that_exists,
            numbers::pages_are_in_order_and_filtered,
            numbers::a_wabas_numbers_are_paged_by_a_moment_of_its_claims,
            numbers::numbers_are_found_whose_display_names_wait,
            numbers::numbers_are_counted_by_state,
            directory::every_kind_is_kept,
            directory::a_change_names_the_version_it_was_made_on,
            directory::what_is_below_goes_with_its_parent,
            directory::a_key_goes_with_its_user,
            directory::nothing_is_put_below_what_does_not_exist,
            directory::a_second_name_is_unique_and_found,
            directory::pages_are_in_order_of_the_id,
            audit::the_chain_verifies_after_parallel_commits,
            audit::events_are_found_by_what_they_are_about,
            sends::due_sends_are_leased_oldest_first,
            sends::a_send_is_leased_to_one_worker_at_a_time,
            sends::a_report_never_moves_a_send_backwards,
            sends::what_a_provider_said_is_kept_by_later_reports,
            sends::every_try_is_kept_whoever_reports_it,
            sends::a_lease_that_passed_leaves_a_doubt,
            sends::a_hand_over_that_had_not_begun_leaves_no_doubt,
            sends::the_first_receipt_counts_and_finds_the_newest_send_of_its_sender,
            sends::a_receipt_needs_an_acknowledged_send,
            sends::a_used_code_is_noted_in_all_its_sends,
            budgets::a_budget_is_spent_to_its_limit_under_parallel_orders,
            budgets::an_overspent_unit_leaves_nothing,
            budgets::one_unit_can_draw_twice_from_a_budget,
            budgets::a_budget_that_only_watches_counts_what_it_would_have_refused,
            budgets::what_a_send_costs_in_the_end_is_settled_once,
            budgets::budgets_are_listed_by_their_beginning_and_swept_when_they_start_anew,
            sends::the_ledger_is_paged_newest_first,
            callbacks::every_field_of_a_callback_is_kept,
            callbacks::due_callbacks_are_leased_longest_due_first,
            callbacks::a_callback_is_leased_to_one_worker_at_a_time,
            callbacks::what_is_done_stays_done,
            callbacks::a_refused_unit_enters_no_callback,
            callbacks::callbacks_are_paged_newest_first,
            callbacks::a_sweep_forgets_callbacks_done_long_ago,
            upkeep::a_sweep_removes_what_has_expired_and_nothing_else,
            upkeep::a_cleared_store_is_like_a_new_one,
            upkeep::a_snapshot_brings_the_whole_state_back,
            upkeep::a_snapshot_has_a_plain_name,
            upkeep::a_closed_store_takes_and_gives_nothing,
        }
    };
    (@tests $open:expr; $($group:ident::$fact:ident,)+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $fact() {
                let (store, _kept) = $open;
                $crate::testing::store_contract::$group::$fact(store).await;
            }
        )+
    };
}
