//! Reception data as CSV for systems without an API.
