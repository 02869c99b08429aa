//! Seed files: what they make, and what is said about those that are wrong.

use api::sandbox::seed::parse;
use http::StatusCode;
use serde_json::{Value, json};

use crate::harness::{NUMBER, World};

const SEED: &str = "/sandbox/v1/seed";

/// The example of the product description, with numbers in every state.
const WHOLE: &str = r#"
[[account]]
name = "default"
  [[account.access_key]]
  id = "LTAI5tFakeAccessKeyId001"
  secret = "FakeAccessKeySecretForTests0001"
  [[account.temporary_key]]
  id = "STS.FakeTemporaryKey01"
  secret = "FakeTemporarySecret01"
  security_token = "FakeSecurityToken01"
  expires_at = "2030-01-01T00:00:00Z"
  [[account.user]]
  name = "reader"
  policies = ["read"]
    [[account.user.access_key]]
    id = "LTAI5tFakeAccessKeyId002"
    secret = "FakeAccessKeySecretForTests0002"
  [[account.policy]]
  name = "read"
  document = '{"Version":"1","Statement":[{"Effect":"Allow","Action":"cams:List*","Resource":"*"}]}'
  [[account.space]]
  cust_space_id = "cams-test01"
    [[account.space.waba]]
    id = "102290129340398"
    name = "Test"
      [[account.space.waba.number]]
      phone_number = "+447700900200"
      verified_name = "Example"
      [[account.space.waba.number]]
      phone_number = "+447700900201"
      verified_name = "Example"
      state = "awaiting_code"
      client = "second"
      [[account.space.waba.number]]
      phone_number = "+447700900202"
      verified_name = "Example"
      state = "verified"
      [[account.space.waba.number]]
      phone_number = "+447700900203"
      verified_name = "Example"
      id = "1234567890"
      state = "registered"
      client = "second"
      two_step_pin = "123456"
      [[account.space.waba.number]]
      phone_number = "+447700900204"
      verified_name = "Example"
      state = "registered"
      platform = "cloud_api"
      [[account.space.waba.number]]
      phone_number = "+447700900205"
      verified_name = "Example"
      locked = true
      [[account.space.waba.number]]
      phone_number = "+447700900206"
      verified_name = "Example"
      sms_sent = 5
      voice_calls = 3
  [[account.graph_token]]
  token = "EAAtest"
  [[account.client]]
  name = "second"
  host = "Second.example"
  admin_password = "Sandbox-1!"
"#;

#[tokio::test]
async fn a_seed_makes_clients_and_numbers_in_every_state() {
    let world = World::sandbox().await;
    let reply = world.post_text(SEED, WHOLE).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    let tally = json!({ "accounts": 1, "spaces": 1, "wabas": 1, "clients": 1, "numbers": 7 });
    assert_eq!(reply.body, json!({ "seeded": tally }));
    // The password needs no change; the client runs the number with the PIN.
    world.login("/clients/second/v1", "Sandbox-1!").await;

    let words = |reply: &Value| reply["errors"][0]["details"].as_str().unwrap_or("").to_owned();
    let locked = world.request_code("+447700900205", "sms").await;
    assert_eq!(words(&locked.body), "Unknown error: blocked");
    let spent = world.request_code("+447700900206", "sms").await;
    assert!(words(&spent.body).ends_with("Use method voice instead."), "{spent:?}");
    let guarded = world.request_code("+447700900203", "sms").await;
    assert_eq!(words(&guarded.body), "Unknown error: security_code");
    assert_eq!(world.request_code("+447700900200", "sms").await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn the_code_of_a_number_that_awaits_one_comes_to_the_inbox_and_is_right() {
    let world = World::seeded(WHOLE).await;
    let message = world.newest("+447700900201").await;
    let answer = json!({ "code": message["code"] });
    let reply = world.onprem_of("second", "/account/verify", &answer).await;
    assert_eq!(reply.status, StatusCode::CREATED);
    assert!(world.number_registered("+447700900201").await);
    assert!(!world.number_registered("+447700900203").await, "its client took another number");
}

#[tokio::test]
async fn a_verified_number_registers_without_another_code() {
    let world = World::seeded(WHOLE).await;
    let order = json!({
        "cc": "44", "phone_number": "7700900202", "method": "sms",
        "cert": world.certificate_for("+447700900202", "102290129340398"),
    });
    let reply = world.onprem_of("second", "/account", &order).await;
    assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
}

#[tokio::test]
async fn a_seed_applied_again_brings_back_what_it_names_and_leaves_the_rest() {
    let world = World::seeded(WHOLE).await;
    world.send_code(NUMBER).await;
    assert_eq!(world.request_code("+447700900200", "sms").await.status, StatusCode::ACCEPTED);
    let too_soon = world.request_code("+447700900200", "sms").await;
    assert_eq!(too_soon.status, StatusCode::FORBIDDEN);
    assert_eq!(world.post_text(SEED, WHOLE).await.status, StatusCode::OK);
    assert_eq!(world.request_code("+447700900200", "sms").await.status, StatusCode::ACCEPTED);
    assert_eq!(world.request_code(NUMBER, "sms").await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_seed_that_contradicts_what_is_there_changes_nothing() {
    let world = World::seeded(WHOLE).await;
    let clash = r#"
[[account]]
name = "other"
  [[account.space]]
  cust_space_id = "cams-test01"
    [[account.space.waba]]
    id = "55"
      [[account.space.waba.number]]
      phone_number = "+447700900299"
      verified_name = "Example"
      id = "1234567890"
      state = "registered"
      client = "nobody"
"#;
    let reply = world.post_text(SEED, clash).await;
    assert_eq!(reply.status, StatusCode::CONFLICT);
    let details = [
        "space cams-test01 exists and is another's",
        "phone-number id 1234567890 is another number's",
        "account other has no client nobody",
    ];
    assert_eq!(reply.body["details"], json!(details));
    assert!(!world.number_known("+447700900299").await);
}

#[tokio::test]
async fn everything_wrong_is_reported_at_once_with_line_and_key() {
    let wrong = r#"
[[account]]
nmae = "a"
  [[account.space]]
  cust_space_id = "has space"
    [[account.space.waba]]
    id = "1"
      [[account.space.waba.number]]
      phone_number = "+4912"
      verified_name = ""
      state = "sleeping"
      sms_sent = -1
      two_step_pin = "12"
      [[account.space.waba.number]]
      phone_number = "+447700900200"
      method = "sms"
    [[account.space.waba]]
    id = "1"
  [[account.client]]
  name = "c"
  shards = 3
  [[account.temporary_key]]
  id = "k"
  secret = ""
  expires_at = "soon"
  [[account.user]]
  name = "u"
  policies = ["p"]
  [account.policy]
  name = "p"
"#;
    let problems = parse(wrong).unwrap_err();
    let found: Vec<_> = problems.0.iter().map(|it| (it.line, it.key.as_str())).collect();
    let number = "account[0].space[0].waba[0].number";
    assert_eq!(
        found,
        [
            (2, "account[0].name"),
            (3, "account[0].nmae"),
            (5, "account[0].space[0].cust_space_id"),
            (9, &*format!("{number}[0].phone_number")),
            (10, &format!("{number}[0].verified_name")),
            (11, &format!("{number}[0].state")),
            (12, &format!("{number}[0].sms_sent")),
            (13, &format!("{number}[0].two_step_pin")),
            (14, &format!("{number}[1].verified_name")),
            (16, &format!("{number}[1].method")),
            (18, "account[0].space[0].waba[1].id"),
            (21, "account[0].client[0].shards"),
            (22, "account[0].temporary_key[0].security_token"),
            (24, "account[0].temporary_key[0].secret"),
            (25, "account[0].temporary_key[0].expires_at"),
            (28, "account[0].user[0].policies"),
            (29, "account[0].policy"),
        ],
        "{problems}"
    );

    let world = World::sandbox().await;
    let reply = world.post_text(SEED, wrong).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    let first = &reply.body["details"][0];
    assert_eq!(first, &json!({ "line": 2, "key": "account[0].name", "problem": "is missing" }));
}

#[test]
fn entries_that_contradict_each_other_are_problems() {
    for (entries, line, problem) in [
        ("phone_number = \"+447700900200\"\n", 12, "stands in this WABA already"),
        (
            "phone_number = \"+447700900201\"\nstate = \"registered\"\nclient = \"c\"\n",
            14,
            "runs another number already",
        ),
    ] {
        let file = format!(
            "[[account]]\nname = \"a\"\n[[account.space]]\ncust_space_id = \"s\"\n\
             [[account.space.waba]]\nid = \"1\"\n[[account.space.waba.number]]\n\
             phone_number = \"+447700900200\"\nverified_name = \"E\"\nstate = \"registered\"\n\
             {}{entries}verified_name = \"E\"\n",
            "client = \"c\"\n[[account.space.waba.number]]\n",
        );
        let problems = parse(&file).unwrap_err();
        let found = problems.0.iter().find(|it| it.problem == problem);
        assert_eq!(found.map(|it| it.line), Some(line + 1), "{problems}\n{file}");
    }
}

#[test]
fn text_that_is_no_toml_is_reported_with_its_line() {
    let problems = parse("[[account]]\nname = \n").unwrap_err();
    assert_eq!((problems.0[0].line, problems.0[0].key.as_str()), (2, ""), "{problems}");
}

#[test]
fn credentials_are_read_and_kept() {
    let seed = parse(WHOLE).unwrap();
    let credentials = &seed.accounts[0].credentials;
    assert_eq!(credentials.access_keys[0].id, "LTAI5tFakeAccessKeyId001");
    assert_eq!(credentials.temporary_keys[0].security_token.reveal(), "FakeSecurityToken01");
    assert_eq!(credentials.graph_tokens[0].token.reveal(), "EAAtest");
    assert_eq!(credentials.users[0].policies, ["read"]);
    assert_eq!(credentials.users[0].access_keys.len(), 1);
    assert_eq!(credentials.policies[0].name, "read");
    let shown = format!("{seed:?}");
    for secret in
        ["FakeAccessKeySecret", "FakeTemporarySecret", "EAAtest", "Sandbox-1!", "123456\""]
    {
        assert!(!shown.contains(secret), "{secret}");
    }
}
