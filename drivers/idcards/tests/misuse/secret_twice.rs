//! One secret serves one attempt. A closure is used, because what the compiler says of it names no type, whose
//! path it writes now short, now long.

use device_api::Secret;

fn misuse(pin: Secret) {
    let attempt = move || drop(pin);
    attempt();
    attempt();
}

fn main() {}
