//! What each operation does: the seam between the gateway and the use cases.

use super::call::Call;
use super::failure::Failure;
use super::operation::Operation;
use super::reply::Body;
use super::{numbers, spaces, webhooks};

/// Carries an operation out. What it requires is there, and the caller may call it.
///
/// Operations of the table that are not listed here answer like unknown ones, with the reason.
pub async fn run(call: &Call, operation: &Operation) -> Result<Body, Failure> {
    match operation.name {
        "IsvGetAppId" => spaces::app_id(call),
        "ChatappBindWaba" => spaces::bind_waba(call).await,
        "ChatappSyncPhoneNumber" => spaces::phone_numbers(call, None).await,
        "QueryChatappPhoneNumbers" => {
            spaces::phone_numbers(call, call.parameters.filled("Status")).await
        }
        "AddChatappPhoneNumber" => numbers::add(call).await,
        "GetPhoneNumberVerificationStatus" => numbers::verification_status(call).await,
        "GetChatappVerifyCode" => numbers::request_code(call).await,
        "ChatappVerifyAndRegister" => numbers::verify_and_register(call).await,
        "ChatappPhoneNumberRegister" => numbers::register(call).await,
        "ChatappPhoneNumberDeregister" => numbers::deregister(call).await,
        "UpdatePhoneWebhook" => webhooks::update_phone(call).await,
        "UpdateAccountWebhook" => webhooks::update_account(call).await,
        _ => Err(Failure::not_served()),
    }
}
