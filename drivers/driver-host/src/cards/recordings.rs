//! Recordings of what passed between us and cards, one file for each session.

use std::{
    fs, io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use device_api::Clock;
use smartcard::Recorder;

use crate::platform;

/// Where recordings go.
#[derive(Debug)]
pub(crate) struct Recordings {
    folder: PathBuf,
    clock: Arc<dyn Clock>,
    begun: AtomicU32,
}

impl Recordings {
    /// Recordings in `folder`, which is made where it is missing.
    pub(crate) fn into_folder(folder: PathBuf, clock: Arc<dyn Clock>) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        Ok(Self {
            folder,
            clock,
            begun: AtomicU32::new(0),
        })
    }

    /// A recorder for one session of `job`; a recording that cannot be made does not hinder the job.
    pub(crate) fn begin(&self, job: u64) -> Option<Recorder> {
        let number = self.begun.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}-{job}-{number}.jsonl", self.clock.unix_millis());
        match platform::create_private(&self.folder.join(name)) {
            Ok(file) => Some(Recorder::new(Box::new(file))),
            Err(error) => {
                tracing::warn!(%error, "recording could not be made");
                None
            }
        }
    }
}
