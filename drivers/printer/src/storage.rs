//! Where a printer's journal lies: in a folder of its own, as the file `journal`.

use journal_file::Kind;

pub use journal_file::Storage;

/// A folder with a printer's journal, locked against a second process.
pub type Folder = journal_file::Folder<Tickets>;

/// Journals of what became of tickets.
#[derive(Debug)]
pub enum Tickets {}

impl Kind for Tickets {
    const NAME: &'static str = "journal";
    const LONGEST: u64 = 64 << 20;
}
