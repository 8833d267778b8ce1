//! The MQTT link over mutual TLS: a real Mosquitto with the configuration that ships, and the broker double.

use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use device_api::Secret;
use harness::broker::{Broker as _, ClientFiles, Mosquitto};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use sim_broker::{Broker, Plan, Settings};
use telemetry::link::{
    Connection, Connector, Endpoint, Identity, Link, LinkEvent, LinkFailure, MqttConnector,
    Protocol, ProtocolChoice, Publication, Reliability, Security, Token,
};
use tokio::runtime::Handle;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(30);
const DEVICE: &str = "counter-07";

fn identity(files: &ClientFiles) -> anyhow::Result<Identity> {
    let [authority, certificate, key] = files.pems()?;
    Ok(Identity::from_pem(
        authority.as_bytes(),
        certificate.as_bytes(),
        &Secret::from(key),
    )?)
}

fn connection(
    client: &str,
    address: SocketAddr,
    files: &ClientFiles,
    subscription: String,
) -> anyhow::Result<Connection> {
    Ok(Connection {
        endpoints: vec![Endpoint {
            host: "localhost".to_owned(),
            port: address.port(),
        }],
        security: Security::MutualTls(identity(files)?),
        client_id: client.to_owned(),
        keep_alive: Duration::from_secs(30),
        will: None,
        subscriptions: vec![subscription],
        window: 50,
        protocol: ProtocolChoice::Newest,
    })
}

fn publication(topic: String, text: &str) -> Publication {
    Publication {
        topic,
        payload: text.as_bytes().to_vec(),
        retain: false,
        expiry: Some(Duration::from_secs(60)),
        reliability: Reliability::AtLeastOnce,
    }
}

async fn next(link: &mut dyn Link) -> LinkEvent {
    timeout(PATIENCE, link.next())
        .await
        .expect("an event of the link")
}

async fn must_be_ready(link: &mut dyn Link, expected: Protocol) {
    let event = next(link).await;
    assert!(
        matches!(event, LinkEvent::Ready { protocol, .. } if protocol == expected),
        "{event:?}"
    );
}

#[tokio::test]
async fn mosquitto_passes_on_what_a_device_says_in_both_versions() -> anyhow::Result<()> {
    let mut broker = Mosquitto::start()?;
    let device = broker.admit(DEVICE)?;
    let monitor = broker.trust().monitor()?;
    let (door, desk) = (broker.address(0)?, broker.monitor_address(0)?);
    let up = broker.trust().up(DEVICE, "st/door");
    let mut connector = MqttConnector::new(Handle::current());
    for (protocol, choice) in [
        (Protocol::V5, ProtocolChoice::Newest),
        (Protocol::V311, ProtocolChoice::Only(Protocol::V311)),
    ] {
        let ears = "madoguchi/1/+/+/up/#".to_owned();
        let mut hears = connector.connect(&connection("desk", desk, &monitor, ears)?);
        must_be_ready(hears.as_mut(), Protocol::V5).await;
        let mut speaks = connection(DEVICE, door, &device, broker.trust().down(DEVICE, "#"))?;
        speaks.protocol = choice;
        speaks.will = Some(publication(up.clone(), "lost"));
        let mut link = connector.connect(&speaks);
        must_be_ready(link.as_mut(), protocol).await;
        for number in 0..50 {
            link.publish(publication(up.clone(), &number.to_string()))?;
        }
        for number in 0..50 {
            let expected = LinkEvent::Delivered(Token::after(number));
            assert_eq!(next(link.as_mut()).await, expected);
        }
        for number in 0..50 {
            let expected = LinkEvent::Arrived {
                topic: up.clone(),
                payload: number.to_string().into_bytes(),
                retained: false,
            };
            assert_eq!(next(hears.as_mut()).await, expected);
        }
        drop(link);
        let LinkEvent::Arrived { payload, .. } = next(hears.as_mut()).await else {
            panic!("no will");
        };
        assert_eq!(payload, b"lost");
    }
    Ok(())
}

#[tokio::test]
async fn a_publication_that_the_broker_does_not_allow_is_told_by_mqtt_5() -> anyhow::Result<()> {
    let mut broker = Mosquitto::start()?;
    let device = broker.admit(DEVICE)?;
    let down = broker.trust().down(DEVICE, "#");
    let connection = connection(DEVICE, broker.address(0)?, &device, down)?;
    let mut link = MqttConnector::new(Handle::current()).connect(&connection);
    must_be_ready(link.as_mut(), Protocol::V5).await;
    let foreign = broker.trust().up("counter-08", "st/door");
    let own = broker.trust().up(DEVICE, "st/door");
    link.publish(publication(foreign, "open"))?;
    link.publish(publication(own, "open"))?;
    let told = [next(link.as_mut()).await, next(link.as_mut()).await];
    assert!(
        told.contains(&LinkEvent::Rejected(Token::after(0))),
        "{told:?}"
    );
    assert!(
        told.contains(&LinkEvent::Delivered(Token::after(1))),
        "{told:?}"
    );
    Ok(())
}

#[tokio::test]
async fn a_killed_broker_ends_the_link_and_a_new_one_finds_it_again() -> anyhow::Result<()> {
    let mut broker = Mosquitto::start()?;
    let device = broker.admit(DEVICE)?;
    let down = broker.trust().down(DEVICE, "#");
    let connection = connection(DEVICE, broker.address(0)?, &device, down)?;
    let mut connector = MqttConnector::new(Handle::current());
    let mut link = connector.connect(&connection);
    must_be_ready(link.as_mut(), Protocol::V5).await;
    broker.kill_node(0)?;
    let event = next(link.as_mut()).await;
    assert!(
        matches!(event, LinkEvent::Closed(LinkFailure::Broken { .. })),
        "{event:?}"
    );
    let mut link = connector.connect(&connection);
    let event = next(link.as_mut()).await;
    assert!(
        matches!(event, LinkEvent::Closed(LinkFailure::Unreachable { .. })),
        "{event:?}"
    );
    broker.start_node(0)?;
    let mut link = connector.connect(&connection);
    must_be_ready(link.as_mut(), Protocol::V5).await;
    Ok(())
}

#[tokio::test]
async fn strangers_are_no_partners_on_either_side() -> anyhow::Result<()> {
    let mut broker = Mosquitto::start()?;
    let device = broker.admit(DEVICE)?;
    let address = broker.address(0)?;
    let mut connector = MqttConnector::new(Handle::current());
    // The broker does not know the authority of this device.
    let stranger = broker.trust().stranger(DEVICE)?;
    // The device does not know the authority of this broker.
    let other = Mosquitto::start()?;
    let misled = ClientFiles {
        authority: other.trust().authority_file(),
        ..device.clone()
    };
    for (name, files) in [("stranger", stranger), ("misled", misled)] {
        let down = broker.trust().down(DEVICE, "#");
        let mut link = connector.connect(&connection(DEVICE, address, &files, down)?);
        let event = next(link.as_mut()).await;
        assert!(
            matches!(
                event,
                LinkEvent::Closed(LinkFailure::Tls { .. } | LinkFailure::Broken { .. })
            ),
            "{name}: {event:?}"
        );
    }
    Ok(())
}

/// A TLS configuration for the broker double, by the authority of a broker that never ran.
fn double(trust: &harness::broker::BrokerTrust) -> anyhow::Result<Arc<ServerConfig>> {
    let authority = trust.authority();
    let now =
        i64::try_from(device_api::Clock::unix_millis(&device_api::SystemClock::new()) / 1000)?;
    let span = trust::Validity::new(now - 3600, now + 3600)?;
    let credentials = authority.issue_server(&["localhost"], span)?;
    let folder = tempfile::tempdir()?;
    let (certificate, key) = trust::write_credentials(folder.path(), "double", &credentials)?;
    let chain =
        CertificateDer::pem_slice_iter(&fs::read(certificate)?).collect::<Result<_, _>>()?;
    let key = PrivateKeyDer::from_pem_slice(&fs::read(key)?)?;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&fs::read(
        trust.authority_file(),
    )?)?)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()?;
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)?;
    Ok(Arc::new(config))
}

#[tokio::test]
async fn the_broker_double_speaks_mutual_tls_too() -> anyhow::Result<()> {
    let real = Mosquitto::start()?;
    let settings = Settings {
        tls: Some(double(real.trust())?),
        ..Settings::default()
    };
    let broker = Broker::start_with(settings, Plan::honest())?;
    let device = real.trust().device(DEVICE)?;
    let connection = connection(DEVICE, broker.address(), &device, "down/#".to_owned())?;
    let mut connector = MqttConnector::new(Handle::current());
    let mut link = connector.connect(&connection);
    must_be_ready(link.as_mut(), Protocol::V311).await;
    link.publish(publication("up".to_owned(), &"x".repeat(30_000)))?;
    assert_eq!(
        next(link.as_mut()).await,
        LinkEvent::Delivered(Token::after(0))
    );
    broker.inject("down/cmd", &vec![b'y'; 30_000]);
    let LinkEvent::Arrived { payload, .. } = next(link.as_mut()).await else {
        panic!("nothing arrived");
    };
    assert_eq!(payload.len(), 30_000);
    Ok(())
}
