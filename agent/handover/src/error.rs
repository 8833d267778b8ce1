//! How a hand-over can fail, and which stable code people are told.

use std::{io, path::PathBuf};

use device_api::FaultCode;
use thiserror::Error;

use crate::{cell::ValueFault, encoding::Unmappable, template::TemplateError};

/// Why nothing was handed over, or what could not be found out.
#[derive(Debug, Error)]
pub enum HandoverError {
    /// The template cannot be used.
    #[error("template cannot be used")]
    Template(#[from] TemplateError),
    /// A file of that name is there already. It was not touched, and the number is not used again.
    #[error("{name} exists already")]
    Exists {
        /// The file's name.
        name: String,
    },
    /// Characters that the receiver cannot take. Nothing was written.
    #[error("{} characters cannot be written in the receiver's encoding", .0.len())]
    Unmappable(Vec<Unmappable>),
    /// A value does not fit its column. Nothing was written.
    #[error("row {row}, field {field}: {fault}")]
    Value {
        /// The row, counted from 1.
        row: usize,
        /// The source field, or the column's header where it holds a constant.
        field: String,
        /// What is wrong with it.
        fault: ValueFault,
    },
    /// A folder or file cannot be used: missing, forbidden, full, or its share is gone.
    #[error("cannot {attempted} {path}")]
    Folder {
        /// What was attempted.
        attempted: &'static str,
        /// On which path.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// Another process hands over with the same state folder, template and counter.
    #[error("{path} is in use by another process")]
    InUse {
        /// The lock file.
        path: PathBuf,
    },
    /// A record of this crate does not say what it should.
    #[error("{path} is damaged")]
    Damaged {
        /// The record.
        path: PathBuf,
    },
    /// The file probably stands under its final name, and that could not be confirmed or made durable.
    ///
    /// It must not be written a second time before a survey or a person has looked.
    #[error("{name} may have been handed over, and its folder does not confirm it")]
    Unsettled {
        /// The file's name.
        name: String,
        /// What the folder answered.
        source: io::Error,
    },
}

impl HandoverError {
    /// The fault that people are told.
    #[must_use]
    pub const fn fault(&self) -> FaultCode {
        match self {
            Self::Template(_) => FaultCode::HandoverTemplate,
            Self::Exists { .. } => FaultCode::HandoverExists,
            Self::Unmappable(_) => FaultCode::HandoverUnmappable,
            Self::Value { .. } => FaultCode::HandoverValue,
            Self::Folder { .. }
            | Self::InUse { .. }
            | Self::Damaged { .. }
            | Self::Unsettled { .. } => FaultCode::HandoverFolder,
        }
    }

    pub(crate) fn folder(
        attempted: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Folder {
            attempted,
            path,
            source,
        }
    }
}
