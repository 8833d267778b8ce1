//! While an application is open, nobody else can use the card.

use device_api::Secret;
use idcards::my_number::{LastTry, SecretKind, TextAp, identify};
use smartcard::CardChannel;

fn misuse(card: &mut dyn CardChannel, pin: Secret) {
    let application = TextAp::select(card).unwrap();
    let mut opened = application.verify(SecretKind::Pin, pin, LastTry::NotAllowed).unwrap();
    let _other = identify(card);
    let _attributes = opened.four_attributes();
}

fn main() {}
