//! Every way in which a link ends, and every reason for which it takes no publication.

use thiserror::Error;

/// Why a connection is over.
///
/// What the broker or the library said in words is for the log only.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LinkFailure {
    /// [`leave`](super::Link::leave) was called and the broker was told.
    #[error("the connection was left")]
    Left,
    /// The settings allow no connection at all, such as no endpoint or a will that is too large.
    #[error("the connection is not possible as it is set: {reason}")]
    Unusable {
        /// What is wrong.
        reason: &'static str,
    },
    /// The name was not resolved, or nobody accepted at the address.
    #[error("the broker cannot be reached: {detail}")]
    Unreachable {
        /// What the system said.
        detail: String,
    },
    /// No TLS connection came about: one side did not accept the other's certificate, or it was no TLS.
    #[error("no protected connection: {detail}")]
    Tls {
        /// What the library said.
        detail: String,
    },
    /// The broker refused the connection.
    #[error("the broker refuses the connection: {0}")]
    Refused(Refusal),
    /// The broker refused a subscription.
    #[error("the broker refuses a subscription")]
    SubscriptionRefused,
    /// The broker says nothing: no CONNACK, no SUBACK, or nothing for longer than the keep-alive allows.
    #[error("the broker does not answer")]
    TimedOut,
    /// The broker, or the network, ended the connection.
    #[error("the connection broke: {detail}")]
    Broken {
        /// What the system said, or the broker's reason.
        detail: String,
    },
    /// What the broker sent is not MQTT, is too large, or answers nothing that was asked.
    #[error("the broker violates the protocol: {detail}")]
    Protocol {
        /// What was wrong with it.
        detail: String,
    },
}

/// Why a broker refused a connection, in the words of both versions of MQTT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refusal {
    /// It does not speak any version that was offered.
    #[error("it speaks another version of the protocol")]
    ProtocolVersion,
    /// It does not accept the client identifier.
    #[error("it does not accept the client identifier")]
    ClientId,
    /// It knows neither name nor certificate.
    #[error("it does not accept the credentials")]
    Credentials,
    /// It knows the client and does not let it in.
    #[error("the client is not authorised")]
    NotAuthorised,
    /// It is busy, full, or going down: another time may do.
    #[error("it is not available")]
    Unavailable,
    /// Something about the will, or about another part of the request.
    #[error("it does not accept the request")]
    Request,
}

/// Why a publication was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PublishRefusal {
    /// The connection is not ready yet.
    #[error("the connection is not ready")]
    NotReady,
    /// The window is full: wait for the next event.
    #[error("the window is full")]
    Busy,
    /// Larger than any packet may be, so that no later time does.
    #[error("the publication is too large")]
    TooLarge,
    /// The topic is empty, too long, or holds a wildcard, so that no later time does.
    #[error("nothing can be published at such a topic")]
    Topic,
    /// The connection is over.
    #[error("the connection is closed")]
    Closed,
}
