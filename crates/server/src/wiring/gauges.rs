//! What connections and senders have to say about themselves, for the metrics.

use api::metrics::{Family, Kind, Sample};
use outbound::delivery::Health;
use service::Service;

use super::senders::Senders;
use crate::listener::Connections;

/// A measurement per sender, and how to read it.
type Measure = (&'static str, Kind, &'static str, fn(&service::tallies::SenderTally) -> u64);

const MEASURES: [Measure; 8] = [
    ("rollcall_sender_taken_total", Kind::Counter, "Messages that a sender took", |it| it.taken),
    (
        "rollcall_sender_unavailable_total",
        Kind::Counter,
        "Tries that found a sender unavailable",
        |it| it.unavailable,
    ),
    ("rollcall_sender_uncertain_total", Kind::Counter, "Tries whose end is unknown", |it| {
        it.uncertain
    }),
    ("rollcall_sender_rejected_total", Kind::Counter, "Messages that a sender rejected", |it| {
        it.rejected
    }),
    (
        "rollcall_sender_millis_total",
        Kind::Counter,
        "Milliseconds that all tries of a sender took",
        |it| it.millis,
    ),
    (
        "rollcall_sender_cost_micros_total",
        Kind::Counter,
        "What a sender was paid, in millionths of the currency",
        |it| it.cost,
    ),
    ("rollcall_sender_delivered_total", Kind::Counter, "Receipts that said delivered", |it| {
        it.delivered
    }),
    ("rollcall_sender_failed_total", Kind::Counter, "Receipts that said failed", |it| it.failed),
];

/// How many connections the listener has and refused.
pub(super) fn connections(connections: &Connections) -> Vec<Family> {
    vec![
        Family::single(
            "rollcall_connections_open",
            Kind::Gauge,
            "Open connections",
            connections.open(),
        ),
        Family::single(
            "rollcall_connections_refused_total",
            Kind::Counter,
            "Connections closed at once because their source had too many",
            connections.refused(),
        ),
    ]
}

/// The families of all senders.
pub(super) fn senders(service: &Service, senders: &Senders) -> Vec<Family> {
    let tallies = service.sender_tallies();
    let label = |sender: &str| vec![("sender", sender.to_owned())];
    let family = |(name, kind, help, of): Measure| {
        let sample = |(sender, tally): (&String, &_)| Sample {
            labels: label(sender),
            value: of(tally).into(),
        };
        Family { name, kind, help, samples: tallies.iter().map(sample).collect() }
    };
    let mut families: Vec<Family> =
        if tallies.is_empty() { Vec::new() } else { MEASURES.into_iter().map(family).collect() };
    let conversion = service.sender_conversion();
    let share = |(sender, (sent, used)): (&String, &(u64, u64))| Sample {
        labels: label(sender),
        value: (used * 100 / (*sent).max(1)).into(),
    };
    if !conversion.is_empty() {
        families.push(Family {
            name: "rollcall_sender_conversion_percent",
            kind: Kind::Gauge,
            help: "Share of codes that were used, of those that a sender took lately",
            samples: conversion.iter().map(share).collect(),
        });
    }
    if let Some(routing) = &senders.routing {
        let working = |(sender, health): (&String, &Health)| Sample {
            labels: label(sender),
            value: u64::from(*health == Health::Working).into(),
        };
        families.push(Family {
            name: "rollcall_sender_working",
            kind: Kind::Gauge,
            help: "1 while a sender takes messages, 0 while it rests",
            samples: routing.health().iter().map(working).collect(),
        });
    }
    families.push(Family::single(
        "rollcall_receipts_unknown_total",
        Kind::Counter,
        "Receipts for messages that nobody knows",
        service.unknown_receipts(),
    ));
    families
}
