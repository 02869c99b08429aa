//! Envelopes, order of checks, flow control, who may do what; and the table of operations.

use core::time::Duration;
use std::collections::HashSet;

use api::cams::operation::{OPERATIONS, Operation};
use axum::body::Body;
use http::{HeaderValue, Method, Request};
use serde_json::{Value, json};
use service::ports::AuditQuery;

use crate::fixtures::KEY_ID;
use crate::harness::{Answer, OTHER_KEY_ID, SPACE, USER_KEY_ID, World};

#[test]
fn the_table_of_operations_is_that_of_the_reference() {
    let file: Value =
        serde_json::from_str(include_str!("../fixtures/cams/operations.json")).unwrap();
    let documented = file["operations"].as_array().unwrap();
    let common = ["RequestId", "Code", "Message", "AccessDeniedDetail", "Success"];
    for operation in documented {
        let name = operation["name"].as_str().unwrap();
        let ours = Operation::named(name).unwrap_or_else(|| panic!("{name} is missing"));
        let required = operation["params"].as_array().unwrap().iter();
        let required = required.filter(|it| it["required"] == true);
        let required: Vec<_> = required.map(|it| it["name"].as_str().unwrap()).collect();
        assert_eq!(ours.required, required, "{name}");
        let limit = operation["qpsLimit"].as_u64().unwrap_or(10);
        assert_eq!(ours.per_second as u64, limit, "{name}");
        assert_eq!(json!(ours.has_success), operation["successFieldInResponse"], "{name}");
        let fields = operation["response"]["properties"].as_object().unwrap().keys();
        let fields: Vec<_> = fields.filter(|it| !common.contains(&it.as_str())).collect();
        assert_eq!(ours.fields, fields, "{name}");
        assert_eq!(json!(ours.ram_action()), operation["ramAction"], "{name}");
    }
    let names: HashSet<_> = OPERATIONS.iter().map(|operation| operation.name).collect();
    assert_eq!((names.len(), OPERATIONS.len()), (documented.len(), documented.len()));
}

async fn get(world: &World, target: &str, accept: &str) -> Answer {
    let request = Request::get(target).header("accept", accept).header("host", "cams.example");
    world.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_success_has_the_envelope_that_clients_read() {
    let world = World::new().await;
    let answer = world.call("ChatappBindWaba", &[("WabaId", "102290129340398")]).await;
    assert_eq!(answer.header("content-type"), Some("application/json;charset=utf-8"));
    assert_eq!(answer.header("content-encoding"), None);
    let id = answer.header("x-acs-request-id").unwrap().to_owned();
    assert_eq!((id.len(), id.as_bytes()[14]), (36, b'4'), "a UUID of version 4: {id}");
    assert_eq!(id, id.to_ascii_uppercase());
    let expected = json!({
        "RequestId": id,
        "Code": "OK",
        "Message": "OK",
        "Success": true,
        "Data": { "CustSpaceId": SPACE, "WabaId": "102290129340398" },
    });
    assert_eq!(answer.ok(), expected);
}

#[tokio::test]
async fn an_error_has_the_envelope_that_clients_read() {
    let world = World::new().await;
    let answer = get(&world, "/?Action=IsvGetAppId&Version=2020-06-06", "*/*").await;
    assert_eq!(answer.header("content-type"), Some("application/json;charset=utf-8"));
    let id = answer.header("x-acs-request-id").unwrap();
    let link = format!(
        "https://api.aliyun.com/troubleshoot?q=MissingAccessKeyId&product=cams&requestId={id}"
    );
    let expected = json!({
        "RequestId": id,
        "Code": "MissingAccessKeyId",
        "Message": "AccessKeyId is mandatory for this action.",
        "Recommend": link,
        "HostId": "cams.example",
    });
    assert_eq!((answer.status.as_u16(), &answer.body), (400, &expected));
}

#[tokio::test]
async fn a_business_failure_has_the_envelope_of_its_operation_and_is_explained() {
    let world = World::new().await;
    let number = [("CustSpaceId", SPACE), ("PhoneNumber", "447700900123")];
    let mut with_code = number.to_vec();
    with_code.push(("VerifyCode", "123456"));
    let answer = world.call("ChatappVerifyAndRegister", &with_code).await;
    assert_eq!(answer.outcome(), (200, "InvalidParameter.PhoneNumberNotExist"));
    assert_eq!(answer.body["Success"], false);
    let link = answer.body["Recommend"].as_str().unwrap();
    let path = link.strip_prefix("https://rollcall.example").unwrap();
    let explained = get(&world, path, "application/json").await;
    assert_eq!(explained.body["refusal"], "not-claimed");
    let answer = world.call("GetPhoneNumberVerificationStatus", &number).await;
    assert_eq!(answer.body.get("Data"), Some(&Value::Null));
    assert_eq!(answer.body.get("Success"), None, "this operation has no such field");
}

#[tokio::test]
async fn rpc_callers_get_xml_unless_they_ask_for_json() {
    let world = World::new().await;
    let ask = async |parameters: &[(&str, &str)]| world.replay(&world.rpc(parameters)).await;
    for format in ["JSON", "json"] {
        let answer =
            ask(&[("Action", "IsvGetAppId"), ("Type", "WHATSAPP"), ("Format", format)]).await;
        assert_eq!(answer.ok()["Code"], "OK");
    }
    for format in [&[("Format", "XML")][..], &[], &[("Format", "")]] {
        let parameters = [&[("Action", "IsvGetAppId"), ("Type", "whatsapp")], format].concat();
        let answer = ask(&parameters).await;
        assert_eq!(answer.header("content-type"), Some("text/xml;charset=utf-8"));
        let root = "<?xml version='1.0' encoding='UTF-8'?><IsvGetAppIdResponse><RequestId>";
        assert!(answer.text.starts_with(root), "{}", answer.text);
        let answer = ask(&[&[("Action", "IsvGetAppId")], format].concat()).await;
        assert_eq!(answer.status, 400);
        assert!(answer.text.contains("<Error><RequestId>"), "{}", answer.text);
        assert!(answer.text.contains("<Code>MissingType</Code>"), "{}", answer.text);
        assert!(answer.text.contains("<Recommend><![CDATA[https://"), "{}", answer.text);
    }
}

#[tokio::test]
async fn a_mismatch_tells_both_families_what_was_signed() {
    let world = World::new().await;
    let parameters = [("Action", "IsvGetAppId"), ("Type", "whatsapp"), ("Format", "JSON")];
    let mut request = world.rpc(&parameters);
    request.uri = request.uri.to_string().replace("Type=whatsapp", "Type=whatsap").parse().unwrap();
    let answer = world.replay(&request).await;
    assert_eq!(answer.outcome(), (400, "SignatureDoesNotMatch"));
    let message = answer.body["Message"].as_str().unwrap();
    let (told, string_to_sign) = message.split_once(':').unwrap();
    assert!(told.ends_with("server string to sign is"), "{told}");
    assert!(string_to_sign.starts_with("GET&%2F&AccessKeyId%3D"), "{string_to_sign}");

    let mut request = world.acs3(KEY_ID, "IsvGetAppId", &[("Type", "whatsapp")]);
    request.uri = "/?Type=whatsap".parse().unwrap();
    let answer = world.replay(&request).await;
    assert_eq!(answer.outcome(), (400, "SignatureDoesNotMatch"));
    let message = answer.body["Message"].as_str().unwrap();
    assert!(message.contains(": server StringToSign is [ACS3-HMAC-SHA256\n"), "{message}");
}

#[tokio::test]
async fn what_an_rpc_request_wants_is_read_from_what_it_signs() {
    let world = World::new().await;
    let parameters = [("Action", "IsvGetAppId"), ("Type", "whatsapp"), ("Format", "JSON")];
    let mut request = world.rpc(&parameters);
    let other = HeaderValue::from_static("ChatappPhoneNumberDeregister");
    request.headers.insert("x-acs-action", other);
    request.headers.insert("x-acs-version", HeaderValue::from_static("1999-01-01"));
    assert!(world.replay(&request).await.ok()["AppId"].is_string());
}

#[tokio::test]
async fn each_flaw_has_its_code_and_the_first_in_order_is_told() {
    let world = World::new().await;
    let bare = async |target: &str| {
        let answer = get(&world, target, "*/*").await;
        (answer.status.as_u16(), answer.body["Code"].as_str().unwrap_or_default().to_owned())
    };
    for (target, status, code) in [
        ("/?Action=IsvGetAppId", 400, "MissingVersion"),
        ("/", 404, ""),
        ("/?Version=2019-01-01&Action=Nothing", 400, "InvalidVersion"),
        ("/?Version=2020-06-06", 400, "MissingAction"),
        ("/?Version=2020-06-06&Action=SendChatappMessage", 404, "InvalidAction.NotFound"),
        ("/?Version=2020-06-06&Action=isvgetappid", 404, "InvalidAction.NotFound"),
        ("/?Version=2020-06-06&Action=IsvGetAppId", 400, "MissingAccessKeyId"),
        ("/?Version=2020-06-06&Action=%ff", 400, "InvalidParameter.Format"),
    ] {
        assert_eq!(bare(target).await, (status, code.to_owned()), "{target}");
    }
    let call = world.call("IsvGetAppId", &[("Type", "telegram")]).await;
    assert_eq!(call.outcome(), (400, "InvalidType"));
    let call = world.call("IsvGetAppId", &[("Type", "")]).await;
    assert_eq!(call.outcome(), (400, "MissingType"));
    let call = world.call("CreateInstance", &[("ChannelType", "a"), ("InstanceName", "b")]).await;
    assert_eq!(call.outcome(), (404, "InvalidAction.NotFound"));
    assert!(call.body["Message"].as_str().unwrap().contains("Rollcall registers phone numbers"));
    let odd_nonce = {
        let mut request = world.acs3(KEY_ID, "IsvGetAppId", &[("Type", "whatsapp")]);
        let long = HeaderValue::from_str(&"n".repeat(129)).unwrap();
        request.headers.insert("x-acs-signature-nonce", long);
        world.replay(&request).await
    };
    assert_eq!(odd_nonce.outcome(), (400, "InvalidSignatureNonce"));
}

#[tokio::test]
async fn other_methods_and_large_bodies_are_refused_in_words() {
    let world = World::new().await;
    for method in [Method::PUT, Method::DELETE, Method::OPTIONS, Method::PATCH] {
        let mut request = world.acs3(KEY_ID, "IsvGetAppId", &[("Type", "whatsapp")]);
        request.method = method.clone();
        let answer = world.replay(&request).await;
        assert_eq!(answer.outcome(), (400, "UnsupportedHTTPMethod"), "{method}");
    }
    let large = Request::post("/").body(Body::from(vec![b'a'; (1 << 20) + 1])).unwrap();
    let answer = world.send(large).await;
    assert_eq!(answer.outcome(), (400, "InvalidParameter.Format"));
}

#[tokio::test]
async fn a_body_that_its_digest_does_not_fit_is_refused() {
    let world = World::new().await;
    let request = || world.acs3(KEY_ID, "IsvGetAppId", &[("Type", "whatsapp")]);
    for (digest, outcome) in [
        ("1B2M2Y8AsgTpgAmY7PhCfg==", (200, "OK")),
        ("wlllDjB1PtpLWZi7KU61Fw==", (400, "ContentMD5NotMatched")),
    ] {
        let mut request = request();
        request.headers.insert("content-md5", HeaderValue::from_str(digest).unwrap());
        assert_eq!(world.replay(&request).await.outcome(), outcome);
    }
}

#[tokio::test]
async fn a_browser_is_sent_to_the_console_and_a_client_is_not() {
    let world = World::new().await;
    let html = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8";
    let answer = get(&world, "/", html).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (307, Some("/console")));
    let answer = get(&world, "/?Action=IsvGetAppId&Version=2020-06-06", html).await;
    assert_eq!(answer.outcome(), (400, "MissingAccessKeyId"));
}

#[tokio::test]
async fn an_account_has_exactly_so_many_requests_a_second_per_operation() {
    let world = World::new().await;
    for (action, parameters, per_second) in [
        ("IsvGetAppId", &[("Type", "whatsapp")][..], 10),
        ("GetPermissionByCode", &[("Code", "x")], 5),
    ] {
        for second in 0..3 {
            for n in 0..per_second {
                let answer = world.call(action, parameters).await;
                assert_ne!(answer.outcome().1, "Throttling.User", "{action} {second} {n}");
            }
            world.clock.advance(Duration::from_millis(400));
            let answer = world.call(action, parameters).await;
            assert_eq!(answer.outcome(), (400, "Throttling.User"), "{action} {second}");
            assert_eq!(answer.header("x-acs-retry-after"), Some("600"));
            world.clock.advance(Duration::from_millis(600));
        }
    }
}

#[tokio::test]
async fn a_key_of_a_user_may_do_nothing_that_no_policy_allows() {
    let world = World::new().await;
    let answer = world.call_with(USER_KEY_ID, "IsvGetAppId", &[("Type", "whatsapp")]).await;
    assert_eq!(answer.outcome(), (400, "Ram.PermissionDeny"));
    let detail = &answer.body["AccessDeniedDetail"];
    assert_eq!(detail["AuthAction"], "cams:IsvGetAppId");
    assert_eq!(detail["AuthPrincipalType"], "SubUser");
    assert_eq!(detail["AuthPrincipalOwnerId"], "default");
    assert_eq!(detail["AuthPrincipalDisplayName"], "alice");
    assert_eq!(detail["NoPermissionType"], "ImplicitDeny");
    assert!(detail["EncodedDiagnosticMessage"].is_string());
}

#[tokio::test]
async fn an_account_without_the_product_is_told_so() {
    let world = World::new().await;
    let answer = world.call_with(OTHER_KEY_ID, "IsvGetAppId", &[("Type", "whatsapp")]).await;
    assert_eq!(answer.outcome(), (400, "Product.Unsubscript"));
}

#[tokio::test]
async fn a_space_of_another_account_looks_like_none() {
    let world = World::new().await;
    for space in ["cams-other01", "cams-nowhere", "a b/c"] {
        let answer = world.call("ChatappSyncPhoneNumber", &[("CustSpaceId", space)]).await;
        assert_eq!(answer.outcome(), (400, "Unknown.ResourceOwnerId"), "{space}");
    }
    let answer = world.call("ChatappBindWaba", &[("WabaId", "200000000000001")]).await;
    assert_eq!(answer.outcome(), (400, "Unknown.ResourceOwnerId"));
}

#[tokio::test]
async fn no_secret_reaches_an_answer_or_the_audit_trail() {
    let world = World::with_temporary_key().await;
    let mut request = world.acs3(KEY_ID, "IsvGetAppId", &[("Type", "whatsapp")]);
    let token = crate::fixtures::TOKEN;
    request.headers.insert("x-acs-security-token", HeaderValue::from_static(token));
    let first = world.replay(&request).await;
    assert_eq!(first.outcome(), (200, "OK"));
    request.uri = "/?Type=other".parse().unwrap();
    let second = world.replay(&request).await;
    let audit = AuditQuery { limit: 99, ..AuditQuery::default() };
    let audit = world.service.audit(&audit).await.unwrap();
    assert!(!audit.is_empty());
    let seen = format!("{first:?}{second:?}{audit:?}");
    assert!(!seen.contains(crate::fixtures::SECRET) && !seen.contains(token));
}
