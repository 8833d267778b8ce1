//! An application in which nothing was verified cannot be read.

use idcards::my_number::TextAp;
use smartcard::CardChannel;

fn misuse(card: &mut dyn CardChannel) {
    let mut application = TextAp::select(card).unwrap();
    let _attributes = application.four_attributes();
}

fn main() {}
