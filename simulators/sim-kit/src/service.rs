//! Who can kill the PC/SC service: whoever started it, asked by a callback.
//!
//! A slot never looks for a process by itself, because a process id or a name may by then belong to
//! somebody else's service.

use std::fmt;
use std::io;
use std::sync::Arc;

/// The owner of the PC/SC service, as far as a slot knows them.
#[derive(Clone)]
pub struct ServiceOwner(Arc<dyn Fn() -> io::Result<()> + Send + Sync>);

impl ServiceOwner {
    /// An owner who kills the service, as a crash would, when `kill` is called.
    ///
    /// The call may return before the service is dead: the slot stays silent until its connection ends.
    #[must_use]
    pub fn new(kill: impl Fn() -> io::Result<()> + Send + Sync + 'static) -> Self {
        Self(Arc::new(kill))
    }

    /// Has the service killed.
    ///
    /// # Errors
    ///
    /// When the owner cannot be asked.
    pub fn kill(&self) -> io::Result<()> {
        (self.0)()
    }
}

impl fmt::Debug for ServiceOwner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ServiceOwner")
    }
}
