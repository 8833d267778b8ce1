//! Exclusive use of a device.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Asks for the exclusive use of a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LeaseRequest {
    /// The device.
    pub device: String,
    /// Milliseconds until the lease ends unless renewed; 1,000 to 600,000.
    pub ttl_ms: u32,
    /// The event session whose end also ends the lease. Without it only time ends the lease.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
}

/// Asks for more time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RenewalRequest {
    /// Milliseconds from now on; 1,000 to 600,000.
    pub ttl_ms: u32,
}

/// A lease, granted or waiting in the fair queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Lease {
    /// The lease.
    pub id: String,
    /// The device.
    pub device: String,
    /// Granted, or waiting.
    pub state: LeaseState,
    /// Once granted: rises with every grant of the device; a job carries it, so that a holder that lost
    /// the lease without noticing cannot disturb the next one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fence: Option<u64>,
    /// While waiting: how many are before this one, the holder included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ahead: Option<u32>,
    /// Milliseconds until it ends unless renewed.
    pub expires_in_ms: u64,
}

/// Whether a lease is granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum LeaseState {
    /// The device is yours.
    Granted,
    /// Others are before you.
    Waiting,
}
