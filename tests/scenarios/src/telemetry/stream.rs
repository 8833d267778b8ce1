//! What an operator sets up in NATS once: the shipped stream, and a consumer for each part of all devices.

use anyhow::{Context as _, ensure};
use async_nats::ConnectOptions;
use device_api::Secret;
use harness::Patience;
use harness::broker::Nats;
use telemetry::link::Identity;

/// The nodes choose who leads, and learn of each other, for some seconds.
const LONG: u64 = 60;

/// Makes the stream, and the consumers of so many parts.
///
/// # Errors
/// When the cluster does not take them.
pub fn make(cluster: &Nats, parts: u32) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(ask(cluster, parts))
}

async fn ask(cluster: &Nats, parts: u32) -> anyhow::Result<()> {
    let [authority, certificate, key] = cluster.operator()?.pems()?;
    let identity = Identity::from_pem(
        authority.as_bytes(),
        certificate.as_bytes(),
        &Secret::from(key),
    )?;
    let node = cluster.nats_addresses();
    let node = node.first().context("a cluster without nodes")?;
    let client = ConnectOptions::new()
        .require_tls(true)
        .tls_client_config((*identity.config()).clone())
        .connect(format!("tls://localhost:{}", node.port()))
        .await?;
    for (subject, body) in Nats::stream_requests(parts)? {
        let patience = Patience::seconds(LONG);
        // Until the nodes know of each other there is no room for three copies.
        while let Err(error) = request(&client, &subject, &body).await {
            patience.left("an answer of JetStream").context(error)?;
        }
    }
    Ok(())
}

async fn request(client: &async_nats::Client, subject: &str, body: &str) -> anyhow::Result<()> {
    let body = body.to_owned().into();
    let answer = client.request(subject.to_owned(), body).await?;
    let answer: serde_json::Value = serde_json::from_slice(&answer.payload)?;
    ensure!(answer.get("error").is_none(), "{subject}: {answer}");
    Ok(())
}
