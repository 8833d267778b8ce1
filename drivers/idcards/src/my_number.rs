//! My Number card (個人番号カード): what it says of itself, what its card-surface input application
//! (券面入力補助AP) holds, and whether that is genuine.
//!
//! See `docs/devices/my-number-card.md` for the exchanges of a read, one by one.

mod attributes;
mod error;
mod identity;
mod proof;
mod text_ap;
mod wire;

pub use attributes::{AttributeName, Attributes};
pub use error::{Attempt, CardError, VerifyError};
pub use identity::{CardIdentity, identify};
pub use proof::{Authenticity, Challenge, Doubt, Forgery, Verdict};
pub use text_ap::{LastTry, OpenedTextAp, SecretKind, TextAp, Tries};
