//! The table of operations: what each requires, how often it may be called, what its answer holds.
//!
//! A test compares it with the data file of the CAMS reference.

/// An operation of the dialect.
#[derive(Debug, PartialEq, Eq)]
pub struct Operation {
    /// Name, the value of `Action`.
    pub name: &'static str,
    /// Documented requests per second and account (§9); 10 where nothing is documented. What counts is set
    /// by the operator, for the usual and for the low ones.
    pub per_second: usize,
    /// Whether the answer has a `Success` field.
    pub has_success: bool,
    /// Parameters that must be there and not empty.
    pub required: &'static [&'static str],
    /// Fields of the answer besides `RequestId`, `Code`, `Message`, `Success` and `AccessDeniedDetail`.
    pub fields: &'static [&'static str],
}

impl Operation {
    /// The operation called `name`, spelled exactly so.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        OPERATIONS.iter().find(|operation| operation.name == name)
    }

    /// Whether it may be called less often than most.
    #[must_use]
    pub const fn is_low_rate(&self) -> bool {
        self.per_second < 10
    }

    /// Whether it concerns the account as a whole, so that policies see it on every resource (`*`). The
    /// others are about a space, the account's oldest where they name none.
    #[must_use]
    pub fn is_about_no_space(&self) -> bool {
        const OF_ACCOUNT: [&str; 11] = [
            "IsvGetAppId",
            "GetPreValidatePhoneId",
            "ChatappBindWaba",
            "ChatappEmbedSignUp",
            "GetChatappOpenStatus",
            "OpenChatappService",
            "CreateInstance",
            "ListInstance",
            "QueryInstance",
            "UpdateInstance",
            "DeleteInstance",
        ];
        OF_ACCOUNT.contains(&self.name)
    }

    /// What a policy calls it.
    #[must_use]
    pub fn ram_action(&self) -> String {
        format!("cams:{}", self.name)
    }
}

/// All operations: embedded signup, number management, what is near to them, and two that were removed
/// and that older clients still call.
#[rustfmt::skip]
pub static OPERATIONS: [Operation; 49] = [
    op("IsvGetAppId", 10, false, &["Type"], &["AppId", "ConfigId"]),
    op("GetPreValidatePhoneId", 10, false, &["PhoneNumber", "VerifyCode"], &["Data"]),
    op("ChatappBindWaba", 10, true, &["WabaId"], &["Data"]),
    op("GetPermissionByCode", 5, false, &["Code"], &[]),
    op("ChatappSyncPhoneNumber", 10, true, &["CustSpaceId"], &["PhoneNumbers"]),
    op("AddChatappPhoneNumber", 10, true, &["PhoneNumber", "CustSpaceId", "Cc", "VerifiedName"], &[]),
    op("GetPhoneNumberVerificationStatus", 10, false, &["PhoneNumber", "CustSpaceId"], &["Data"]),
    op("GetChatappVerifyCode", 10, true, &["PhoneNumber", "CustSpaceId", "Method", "Locale"], &[]),
    op("ChatappVerifyAndRegister", 10, true, &["CustSpaceId", "PhoneNumber", "VerifyCode"], &[]),
    op("ChatappPhoneNumberRegister", 10, true, &["PhoneNumber", "CustSpaceId"], &[]),
    op("ChatappPhoneNumberDeregister", 10, false, &["PhoneNumber", "CustSpaceId"], &[]),
    op("QueryWabaBusinessInfo", 10, true, &["CustSpaceId", "WabaId"], &["Data"]),
    op("UpdatePhoneWebhook", 10, false, &["CustSpaceId", "PhoneNumber"], &[]),
    op("UpdateAccountWebhook", 10, false, &["CustSpaceId"], &[]),
    op("QueryPhoneBusinessProfile", 10, true, &["CustSpaceId", "PhoneNumber"], &["Data"]),
    op("ModifyPhoneBusinessProfile", 10, true, &["CustSpaceId", "PhoneNumber"], &[]),
    op("CreateChatappMigrationInitiate", 10, false, &["CustSpaceId", "MobileNumber", "CountryCode"], &["Data"]),
    op("GetMigrationVerifyCode", 10, false, &["CustSpaceId", "PhoneNumber", "Locale", "Method"], &["Data"]),
    op("ChatappMigrationVerified", 10, false, &["CustSpaceId", "PhoneNumber", "VerifyCode"], &["Data"]),
    op("ChatappMigrationRegister", 10, false, &["CustSpaceId", "PhoneNumber"], &[]),
    op("GetChatappUploadAuthorization", 5, false, &["CustSpaceId"], &["Data"]),
    op("SubmitIsvCustomerTerms", 5, false, &["CustSpaceId", "CustName", "OfficeAddress", "ContactMail", "CountryId", "BusinessDesc", "IsvTerms"], &[]),
    op("GetCommerceSetting", 10, true, &["CustSpaceId", "PhoneNumber"], &["Data"]),
    op("UpdateCommerceSetting", 10, true, &["CustSpaceId", "PhoneNumber", "CartEnable", "CatalogVisible"], &[]),
    op("ChatappEmbedSignUp", 10, false, &["InputToken"], &["Wabas"]),
    op("GetPhoneEncryptionPublicKey", 5, false, &["PhoneNumber"], &["Data"]),
    op("UpdatePhoneEncryptionPublicKey", 5, false, &["PhoneNumber", "EncryptionPublicKey"], &[]),
    op("UpdatePhoneMessageQrdl", 5, false, &["PhoneNumber", "GenerateQrImage", "PrefilledMessage", "QrdlCode"], &["Data"]),
    op("ListPhoneMessageQrdl", 5, false, &["PhoneNumber"], &["Data"]),
    op("DeletePhoneMessageQrdl", 5, false, &["PhoneNumber", "QrdlCode"], &[]),
    op("CreatePhoneMessageQrdl", 5, false, &["PhoneNumber", "GenerateQrImage", "PrefilledMessage"], &["Data"]),
    op("QueryChatappPhoneNumbers", 10, true, &[], &["Data", "PhoneNumbers"]),
    op("QueryChatappBindWaba", 10, true, &[], &["Data"]),
    op("GetChatappPhoneNumberSetting", 10, true, &["PhoneNumber"], &["Model"]),
    op("SyncBusinessAppHistory", 10, true, &["CustSpaceId", "PhoneNumber"], &[]),
    op("UpdateWabaMmlStatus", 10, true, &["Code", "CustSpaceId", "WabaId"], &["Model"]),
    op("GetChatappOpenStatus", 10, false, &[], &["OpenStatus"]),
    op("OpenChatappService", 10, false, &[], &["OpenStatus"]),
    op("CreateInstance", 10, true, &["ChannelType", "InstanceName"], &["Data"]),
    op("ListInstance", 10, true, &[], &["Data", "TotalCount"]),
    op("QueryInstance", 10, true, &["InstanceId"], &["Data"]),
    op("UpdateInstance", 10, true, &["InstanceId", "InstanceName"], &["Data"]),
    op("DeleteInstance", 10, true, &["InstanceId"], &[]),
    op("GetWhatsappHealthStatus", 10, true, &["NodeType", "CustSpaceId"], &["Data"]),
    op("GetConversationalAutomation", 10, true, &["CustSpaceId", "PhoneNumber"], &["Data"]),
    op("UpdateConversationalAutomation", 10, true, &["PhoneNumber", "CustSpaceId"], &[]),
    op("GetWhatsappUserName", 10, true, &["CustSpaceId", "PhoneNumber"], &["Data"]),
    op("UpdateWhatsappUserName", 10, true, &["CustSpaceId", "PhoneNumber", "Username"], &["Data"]),
    op("DeleteWhatsappUserName", 10, true, &["CustSpaceId", "PhoneNumber"], &["Data"]),
];

const fn op(
    name: &'static str,
    per_second: usize,
    has_success: bool,
    required: &'static [&'static str],
    fields: &'static [&'static str],
) -> Operation {
    Operation { name, per_second, has_success, required, fields }
}
