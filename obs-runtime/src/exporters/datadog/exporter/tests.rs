//! Deliveries, and their failures.

use std::borrow::Cow;
use std::net::UdpSocket;

use super::*;
use crate::base::clock;
use crate::metrics::catalogue;
use crate::metrics::snapshot::SnapshotBuilder;

fn measured(builder: SnapshotBuilder) -> Measurements {
    Measurements { snapshot: builder.finish(), users: Vec::new() }
}

fn snapshot(successes: f64) -> Measurements {
    let mut builder = SnapshotBuilder::default();
    let labels = vec![(Cow::Borrowed("operation"), Cow::Owned("load".to_owned()))];
    builder.number(&catalogue::OPERATION_SUCCESS, labels.clone(), successes);
    builder.number(&catalogue::OPERATION_ACTIVE, labels, 1.0);
    measured(builder)
}

fn delivery(port: u16) -> Delivery {
    let sender = Sender { constant: Vec::new(), container: None };
    Delivery {
        tracker: DeltaTracker::new(Vec::new()),
        writer: Writer::new(&sender),
        transport: Transport::new(AgentAddress::Udp { host: "127.0.0.1".to_owned(), port }),
        messages: VecDeque::new(),
        failing_since: None,
    }
}

fn agent() -> (UdpSocket, u16) {
    let agent = UdpSocket::bind("127.0.0.1:0").unwrap();
    agent.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let port = agent.local_addr().unwrap().port();
    (agent, port)
}

fn received(agent: &UdpSocket) -> String {
    let mut packet = [0; 9000];
    let length = agent.recv(&mut packet).unwrap();
    String::from_utf8(packet[..length].to_vec()).unwrap()
}

fn soon() -> Instant {
    clock::deadline(Instant::now(), Duration::from_secs(10))
}

fn dropped(reason: &str) -> u64 {
    drop_counters::all()
        .into_iter()
        .find(|(sink, why, _)| *sink == EXPORTER && *why == reason)
        .map_or(0, |(_, _, number)| number)
}

#[test]
fn what_a_closed_port_refuses_is_sent_once_an_agent_listens() {
    let (agent, port) = agent();
    drop(agent);
    let mut delivery = delivery(port);
    let error = delivery.deliver(&snapshot(3.0), soon(), &|| false).unwrap_err().to_string();
    assert!(
        error.contains("2 of 2 lines") && error.contains(&port.to_string()) && error.contains("DD_AGENT_HOST"),
        "{error}"
    );
    let agent = UdpSocket::bind(("127.0.0.1", port)).unwrap();
    agent.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    delivery.deliver(&snapshot(5.0), soon(), &|| false).unwrap();
    assert_eq!(received(&agent), "operation.success:5|c|#operation:load\noperation.active:1|g|#operation:load");
    assert!(delivery.failing_since.is_none());
}

#[test]
fn what_is_unsent_for_a_minute_is_dropped_and_counted() {
    let (agent, port) = agent();
    drop(agent);
    let mut delivery = delivery(port);
    delivery.messages.push_back("_sc|health_check|0".to_owned());
    delivery.failing_since = Instant::now().checked_sub(Duration::from_secs(61));
    assert!(delivery.failing_since.is_some(), "the machine runs for longer than that");
    let before = dropped("unreachable");
    delivery.deliver(&snapshot(3.0), soon(), &|| false).unwrap_err();
    assert_eq!(
        dropped("unreachable") - before,
        2,
        "the counter and the service check; the next delivery sends the gauge again"
    );
    assert!(delivery.messages.is_empty());
    let agent = UdpSocket::bind(("127.0.0.1", port)).unwrap();
    agent.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    delivery.deliver(&snapshot(4.0), soon(), &|| false).unwrap();
    assert!(received(&agent).starts_with("operation.success:1|c"));
}

#[test]
fn packets_are_full_and_within_the_limit() {
    let (agent, port) = agent();
    let mut delivery = delivery(port);
    let mut builder = SnapshotBuilder::default();
    for number in 0..200 {
        let labels = vec![(Cow::Borrowed("operation"), Cow::Owned(format!("load_{number}")))];
        builder.number(&catalogue::OPERATION_SUCCESS, labels, 1.0);
    }
    delivery.deliver(&measured(builder), soon(), &|| false).unwrap();
    let mut lines = 0;
    let mut packets = Vec::new();
    while lines < 200 {
        let packet = received(&agent);
        lines += packet.lines().count();
        packets.push(packet.len());
    }
    assert!(packets.iter().all(|length| *length <= 1432), "{packets:?}");
    assert!(packets[..packets.len() - 1].iter().all(|length| *length > 1432 - 60), "{packets:?}");
}

#[test]
fn a_line_that_fits_into_no_packet_is_dropped_and_counted() {
    let (agent, port) = agent();
    let mut delivery = delivery(port);
    let mut builder = SnapshotBuilder::default();
    let tags = (0..100).map(|number| (Cow::Owned(format!("t{number}")), Cow::Owned("x".repeat(190))));
    builder.number(&catalogue::OPERATION_SUCCESS, tags.collect(), 1.0);
    builder.number(
        &catalogue::OPERATION_SUCCESS,
        vec![(Cow::Borrowed("operation"), Cow::Owned("load".to_owned()))],
        1.0,
    );
    let before = dropped("too_long");
    delivery.deliver(&measured(builder), soon(), &|| false).unwrap();
    assert_eq!(received(&agent), "operation.success:1|c|#operation:load");
    assert_eq!(dropped("too_long") - before, 1);
}

#[test]
fn an_interrupted_delivery_is_no_failure() {
    let (_agent, port) = agent();
    let mut delivery = delivery(port);
    let interrupted = delivery.deliver(&snapshot(3.0), soon(), &|| true).unwrap_err();
    assert!(interrupted.interrupted && delivery.failing_since.is_none());
}
