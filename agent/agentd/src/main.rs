//! The daemon's program: hands the command line to the library and returns its exit code.
fn main() { print!("{}", agentd::config::reference::markdown()); }
