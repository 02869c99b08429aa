//! The measurements of parts measure: their figures are there to be read.

use serde_json::Value;

use crate::harness::rollcall;

#[test]
fn both_sides_of_a_gateway_are_measured() {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("gate.json");
    let arguments = ["bench", "gateway", "--seconds", "1", "--rate", "30", "--folder"];
    let mut command = rollcall(&arguments);
    let output = command.arg(folder.path()).arg("--json").arg(&json).output().unwrap();
    let (out, said) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    // An unoptimised build may miss its bounds; that it ended with figures is what counts here.
    assert!(matches!(output.status.code(), Some(0 | 1)) && !said.contains("error:"), "{out}{said}");
    let report: Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
    let figures = report["figures"].as_array().unwrap();
    assert_eq!(figures.len(), 2, "{report}");
    assert!(figures.iter().all(|figure| figure["measured"].is_number()), "{report}");
    assert_eq!(report["context"]["requests measured, each way"], "90");
    assert!(out.contains("registered, hash of default cost: through the gateway"), "{out}");
}

#[test]
fn the_way_to_a_provider_is_measured_and_an_outage_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("senders.json");
    let arguments = ["bench", "senders", "--singles", "20", "--minutes", "1", "--folder"];
    let mut command = rollcall(&arguments);
    let output = command.arg(folder.path()).arg("--json").arg(&json).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 1)) && !said.contains("error:"), "{said}");
    let report: Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
    let figure = |name: &str| {
        let figures = report["figures"].as_array().unwrap();
        figures.iter().find(|it| it["figure"] == name).unwrap_or_else(|| panic!("{report}"))
    };
    assert!(figure("p99 from order to wire, ms")["measured"].is_number());
    assert_eq!(figure("codes sent twice, or dead")["held"], true, "{report}");
    assert_eq!(figure("codes at the provider at once")["held"], true, "{report}");
    assert_eq!(report["context"]["codes ordered during the outage"], "100");
}
