//! Which commands each kind of read sends, counted at the card, each with its reason.
//!
//! The card's log is held against the list that [`crate::commands`] has of them: one command more, fewer
//! or in another order fails the run.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use harness::Counter;
use scenarios::clerk::Order;

use crate::commands::{Recipe, as_logged};
use crate::jobs::exchanges_of;
use crate::report::Section;
use crate::supplied::Supplier;

const SLOT: usize = 0;

/// One kind of read, and how many commands it is known to send.
struct Kind {
    holder: &'static str,
    by_number_b: bool,
    number: bool,
    commands: usize,
}

const KINDS: [Kind; 6] = [
    Kind {
        holder: "hanako",
        by_number_b: false,
        number: false,
        commands: 16,
    },
    Kind {
        holder: "hanako",
        by_number_b: false,
        number: true,
        commands: 17,
    },
    Kind {
        holder: "hanako",
        by_number_b: true,
        number: false,
        commands: 16,
    },
    Kind {
        holder: "older",
        by_number_b: false,
        number: false,
        commands: 16,
    },
    Kind {
        holder: "older",
        by_number_b: false,
        number: true,
        commands: 17,
    },
    Kind {
        holder: "older",
        by_number_b: true,
        number: false,
        commands: 16,
    },
];

/// The columns of the table: each command by name, and how often each kind of read sends it.
const COLUMNS: [&str; 9] = [
    "#",
    "command",
    "PIN",
    "PIN, number",
    "B",
    "older: PIN",
    "older: PIN, number",
    "older: B",
    "why it is needed",
];

/// How often each command is sent by each kind, with its reason; the key is its place in a read.
type Counts = BTreeMap<usize, (String, [usize; 6], &'static str)>;

/// Does each kind of read once.
pub(crate) fn measure(counter: &Counter) -> anyhow::Result<Section> {
    let mut counts = Counts::new();
    let mut totals = [0; 6];
    let mut supplier = Supplier::at(counter, SLOT)?;
    for (column, kind) in KINDS.iter().enumerate() {
        let sent = play(counter, &mut supplier, kind)
            .with_context(|| format!("column {}", COLUMNS.get(column + 2).unwrap_or(&"")))?;
        for (place, name, reason) in sent {
            let entry = counts.entry(place).or_insert((name, [0; 6], reason));
            if let Some(cell) = entry.1.get_mut(column) {
                *cell += 1;
            }
            if let Some(total) = totals.get_mut(column) {
                *total += 1;
            }
        }
    }
    let mut section = Section::new("The exchanges of a job", &COLUMNS);
    section.note("Counted by the card; B is 照合番号B; the older card refuses extended lengths.");
    section.note("The virtual reader gives the answer to reset of a contactless one, which announces no extended lengths, so files come in pieces of 256 bytes; where they are announced, the five later pieces fall away (`drivers/idcards/tests/my_number/exchanges.rs`).");
    section.note("The secret is there when the job asks for it; where a person types, a job sends commands 1 to 5 again afterwards.");
    for (number, (name, cells, reason)) in (1..).zip(counts.into_values()) {
        let cells = cells.iter().map(|count| {
            if *count == 0 {
                String::new()
            } else {
                count.to_string()
            }
        });
        let mut row = vec![format!("{number}"), name];
        row.extend(cells);
        row.push(reason.to_owned());
        section.row(row);
    }
    let mut row = vec![String::new(), "**all**".to_owned()];
    row.extend(totals.iter().map(|total| format!("**{total}**")));
    row.push(String::new());
    section.row(row);
    Ok(section)
}

/// Does one read and gives what the card saw: the place of a command in the longest read, its name, its
/// reason.
fn play(
    counter: &Counter,
    supplier: &mut Supplier,
    kind: &Kind,
) -> anyhow::Result<Vec<(usize, String, &'static str)>> {
    let control = counter.control();
    let cards = control.cards()?;
    let card = cards.iter().find(|card| card.id == kind.holder);
    let card = card.context("there is no such card")?;
    let (key, secret, order) = if kind.by_number_b {
        let secret = &card.verification_number_b;
        (0x95, secret, Order::by_number_b(secret))
    } else if kind.number {
        (0x91, &card.pin, Order::with_number(&card.pin))
    } else {
        (0x91, &card.pin, Order::attributes(&card.pin))
    };
    let number = kind.number;
    let commands = Recipe {
        key,
        secret,
        number,
    }
    .commands();
    control.insert(SLOT, kind.holder)?;
    let seen = exchanges_of(control, || supplier.job(&order).map(drop))?;
    control.lift(SLOT)?;
    let logged: Vec<_> = seen
        .iter()
        .map(|seen| (seen.header.clone(), seen.data_length))
        .collect();
    let written: Vec<_> = commands
        .iter()
        .map(|command| as_logged(&command.apdu))
        .collect();
    ensure!(
        logged == written,
        "the card saw {logged:?} instead of {written:?}"
    );
    ensure!(logged.len() == kind.commands, "{} commands", logged.len());
    let mut last = 0;
    let mut sent = Vec::new();
    for command in &commands {
        let continues = command.name == "READ BINARY";
        // Pieces of one file are one line, behind their first.
        let place = if continues {
            last + 1
        } else {
            place_of(command.name)?
        };
        last = if continues { last } else { place };
        sent.push((
            place,
            header_and_name(&command.apdu, command.name),
            command.reason,
        ));
    }
    Ok(sent)
}

/// Where a command stands in the table, room for its continuation left.
fn place_of(name: &str) -> anyhow::Result<usize> {
    const ORDER: [&str; 12] = [
        "SELECT common",
        "SELECT common again",
        "READ RECORD",
        "SELECT card-surface input",
        "VERIFY without data",
        "VERIFY",
        "READ EF0002",
        "READ EF0001",
        "READ EF0004",
        "READ EF0003",
        "READ EF0007",
        "sign a challenge",
    ];
    let place = ORDER.iter().position(|known| *known == name);
    Ok(place.with_context(|| format!("{name} has no place in the table"))? * 2)
}

fn header_and_name(apdu: &[u8], name: &str) -> String {
    let (header, _) = as_logged(apdu);
    // The key differs between the columns, and so does the offset between pieces.
    match name {
        "VERIFY" | "VERIFY without data" => format!("`00 20 00 91`/`95` {name}"),
        "READ BINARY" => "`00 B0 offset` READ BINARY".to_owned(),
        _ => format!("`{header}` {name}"),
    }
}
