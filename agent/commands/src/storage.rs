//! Where the journal of commands lies: in a folder of its own, as the file `commands`.

use journal_file::Kind;

pub use journal_file::Storage;

/// A folder with a journal of commands, locked against a second process.
pub type Folder = journal_file::Folder<Commands>;

/// Journals of commands.
#[derive(Debug)]
pub enum Commands {}

impl Kind for Commands {
    const NAME: &'static str = "commands";
    const LONGEST: u64 = 16 << 20;
}
