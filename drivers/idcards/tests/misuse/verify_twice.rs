//! One selected application serves one attempt.

use device_api::Secret;
use idcards::my_number::{LastTry, SecretKind, TextAp};
use smartcard::CardChannel;

fn misuse(card: &mut dyn CardChannel, pin: Secret, again: Secret) {
    let application = TextAp::select(card).unwrap();
    let _first = application.verify(SecretKind::Pin, pin, LastTry::NotAllowed);
    let _second = application.verify(SecretKind::Pin, again, LastTry::NotAllowed);
}

fn main() {}
