//! Prints a sample ticket on a network printer and keeps the picture: for the first hour with a new model.
//!
//! `cargo run -p printer --example sample_ticket -- 192.0.2.7:9100 tm-t88vii JOURNAL-FOLDER PICTURE.png`

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use device_api::{Clock, Deadline, Patience, SystemClock};
use printer::driver::{Attendance, PrintRequest};
use printer::settings::{Connection, PrinterSettings, fonts, open};
use printer::ticket::{Align, Code, Element, Level, Size, Text, Ticket, TicketId};

#[expect(
    clippy::print_stdout,
    clippy::use_debug,
    reason = "a program for a person at a terminal"
)]
fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let mut word = |what: &'static str| words.next().ok_or(what);
    let (address, profile) = (
        word("an address is missing")?,
        word("a profile is missing")?,
    );
    let (journal, picture) = (word("a folder is missing")?, word("a picture is missing")?);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let settings = PrinterSettings {
        connection: Connection::Tcp(address.parse()?),
        profile,
        dots: None,
        fonts: Vec::new(),
        bold_fonts: Vec::new(),
        attendance: Attendance::Staffed,
        roll_metres: Some(80),
    };
    let fonts = fonts(&settings)?;
    let mut printer = open(&settings, fonts, Arc::clone(&clock), Path::new(&journal))?;
    let document = sample();
    std::fs::write(picture, printer.preview(&document)?)?;
    let deadline = Deadline::at(clock.now().plus(Duration::from_secs(30)));
    let patience = Patience::new(Arc::clone(&clock), deadline);
    println!("{:#?}", printer.status(&patience)?);
    let ticket = TicketId::new(format!("sample/{}", clock.unix_millis()))?;
    println!(
        "{:#?}",
        printer.print(&PrintRequest { ticket, document }, &patience)?
    );
    println!("{:#?}", printer.unresolved());
    Ok(())
}

fn sample() -> Ticket {
    let centred = |size, bold, content: &str| {
        Element::Text(Text {
            size,
            bold,
            align: Align::Centre,
            ..Text::plain(content)
        })
    };
    Ticket {
        elements: vec![
            centred(Size::Large, true, "市民課 証明書窓口"),
            Element::Number("A-014".into()),
            centred(Size::Normal, false, "受付 11月21日（土） 9:42"),
            Element::Rule,
            Element::Text(Text::plain(
                "𠮷野家 髙﨑 葛\u{E0100}城 辻\u{E0101} 様。お呼び出しまで、待合いすでお待ちください。",
            )),
            Element::Space(20),
            Element::Code(Code {
                data: b"https://madoguchi.example.jp/t/5f2c9a".to_vec(),
                level: Level::M,
                module: None,
            }),
            centred(Size::Small, false, "この番号札は画面にも表示されます"),
            Element::Space(20),
        ],
    }
}
