//! What each operation does: the seam between the gateway and the use cases.

use super::call::Call;
use super::failure::Failure;
use super::operation::Operation;
use super::reply::Body;
use super::{health, migration, numbers, profiles, signup, spaces, wabas, webhooks};

/// Carries an operation out. What it requires is there, and the caller may call it.
///
/// Operations of the table that are not listed here answer like unknown ones, with the reason.
pub async fn run(call: &Call, operation: &Operation) -> Result<Body, Failure> {
    match operation.name {
        "IsvGetAppId" => signup::app_id(call),
        "GetPermissionByCode" => signup::permission_by_code(call).await,
        "GetPreValidatePhoneId" => signup::pre_validate(call).await,
        "GetChatappOpenStatus" | "OpenChatappService" => signup::open_status(call).await,
        "ChatappBindWaba" => spaces::bind_waba(call).await,
        "QueryChatappBindWaba" => wabas::bound(call).await,
        "QueryWabaBusinessInfo" => wabas::business(call).await,
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
        "CreateChatappMigrationInitiate" => migration::start(call).await,
        "GetMigrationVerifyCode" => migration::request_code(call).await,
        "ChatappMigrationVerified" => migration::confirm(call).await,
        "ChatappMigrationRegister" => migration::register(call).await,
        "QueryPhoneBusinessProfile" => profiles::show(call).await,
        "ModifyPhoneBusinessProfile" => profiles::change(call).await,
        "GetPhoneEncryptionPublicKey" => profiles::encryption_key(call).await,
        "UpdatePhoneEncryptionPublicKey" => profiles::set_encryption_key(call).await,
        "GetChatappPhoneNumberSetting" => profiles::setting(call).await,
        "GetWhatsappHealthStatus" => health::status(call).await,
        "UpdatePhoneWebhook" => webhooks::update_phone(call).await,
        "UpdateAccountWebhook" => webhooks::update_account(call).await,
        _ => Err(Failure::not_served()),
    }
}
