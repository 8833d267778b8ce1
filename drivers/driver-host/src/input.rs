//! What the agent says, line by line.

use std::{
    io::{self, Read},
    ops::ControlFlow,
    thread,
};

use host_protocol::{AgentMessage, Line, LineReader, decode};

/// Something the agent said.
#[derive(Debug)]
pub(crate) enum Heard {
    /// A message.
    Message(AgentMessage),
    /// The input has ended or broken.
    End,
}

/// Starts the reader's thread, which hands everything it hears to `hear`.
pub(crate) fn listen(
    input: impl Read + Send + 'static,
    mut hear: impl FnMut(Heard) -> ControlFlow<()> + Send + 'static,
) -> io::Result<()> {
    thread::Builder::new()
        .name("from-agent".to_owned())
        .spawn(move || {
            let mut lines = LineReader::new(input);
            let mut refused = Refused::default();
            loop {
                let heard = match lines.next_line() {
                    Ok(Some(line)) => match understand(&line) {
                        Ok(message) => Heard::Message(message),
                        Err(why) => {
                            refused.report(&why);
                            continue;
                        }
                    },
                    Ok(None) => Heard::End,
                    Err(error) => {
                        tracing::error!(%error, "the agent cannot be heard any more");
                        Heard::End
                    }
                };
                let end = matches!(heard, Heard::End);
                if hear(heard).is_break() || end {
                    return;
                }
            }
        })?;
    Ok(())
}

/// Never shows the line: it can hold a PIN.
fn understand(line: &Line) -> Result<AgentMessage, String> {
    match line {
        Line::Whole(bytes) => decode(bytes).map_err(|error| error.to_string()),
        Line::TooLong { length } => Err(format!("line of {length} bytes is too long")),
    }
}

/// Lines that were no messages. Reported ever more seldom, because a peer can send any number.
#[derive(Debug, Default)]
struct Refused {
    count: u64,
}

impl Refused {
    fn report(&mut self, why: &str) {
        self.count += 1;
        if self.count.is_power_of_two() {
            tracing::error!(why, so_far = self.count, "line of the agent refused");
        }
    }
}
