//! The reference page of the configuration, made of the doc comments of [`super::raw`].
//!
//! A test holds `docs/configuration.md` to this text, so that the page cannot tell yesterday's story.
//! `agentd config-reference` prints it.

use std::fmt::Write as _;

use agent_api::token::Scope;
use host_protocol::settings;
use serde_json::Value;
use utoipa::PartialSchema;

use super::raw;

const OPENING: &str = "# Configuration

One TOML file, named on the command line: `agentd --config FILE`.
Every key may be left out; an unknown key is an error.
`agentd check-config --config FILE` says what is wrong with a file, for which it asks each driver host without touching a device; `agentd doctor --config FILE` says what is wrong with the machine.
This page is made of the doc comments in `agent/agentd/src/config/raw.rs` by `agentd config-reference`.
";

/// The page.
#[must_use]
pub fn markdown() -> String {
    let mut page = OPENING.to_owned();
    section::<raw::Config>(&mut page, "Top level");
    section::<raw::UnixSocket>(&mut page, "`[unix_socket]`");
    section::<raw::Grant>(&mut page, "`[[grant]]`, any number");
    operations(&mut page);
    section::<raw::Issuer>(&mut page, "`[[issuer]]`, any number");
    section::<raw::CardTrust>(&mut page, "`[card_trust]`");
    section::<raw::DriverHost>(&mut page, "`[driver_host]`");
    section::<settings::CodeScanner>(&mut page, "`[[code_scanner]]`, any number");
    section::<settings::Connection>(&mut page, "`connection` of a device");
    section::<settings::Line>(&mut page, "`connection.serial` of a device");
    section::<settings::PreApplications>(&mut page, "`[pre_applications]`");
    section::<settings::FormKey>(&mut page, "`[[pre_applications.forms]]`, one at least");
    section::<settings::CounterKey>(&mut page, "`[[pre_applications.counters]]`, any number");
    section::<settings::TicketPrinter>(&mut page, "`[[ticket_printer]]`, any number");
    section::<settings::PagePrinter>(&mut page, "`[[page_printer]]`, any number");
    section::<settings::DocumentScanner>(&mut page, "`[[document_scanner]]`, any number");
    section::<settings::SaneScanner>(&mut page, "`reached_by.sane` of a document scanner");
    section::<settings::SignatureTablet>(&mut page, "`[[signature_tablet]]`, any number");
    section::<settings::TabletConnection>(&mut page, "`connection` of a signature tablet");
    section::<settings::Keyboard>(&mut page, "`[keyboard]`");
    section::<settings::Handover>(&mut page, "`[[handover]]`, any number");
    section::<raw::DocumentSigning>(&mut page, "`[document_signing]`");
    section::<raw::Telemetry>(&mut page, "`[telemetry]`");
    section::<raw::Approver>(&mut page, "`[[telemetry.approver]]`, any number");
    section::<raw::VendorDriver>(&mut page, "`[[vendor_driver]]`, any number");
    section::<raw::DriverPublisher>(&mut page, "`[[driver_publisher]]`, any number");
    page
}

fn section<T: PartialSchema>(page: &mut String, title: &str) {
    let schema = serde_json::to_value(T::schema()).unwrap_or_default();
    write_line(page, &format!("\n## {title}\n"));
    write_line(page, text_of(&schema));
    for (key, property) in properties_of(&schema) {
        write_line(page, &format!("\n### `{key}`\n"));
        write_line(page, text_of(property));
    }
    let choices = schema.get("oneOf").and_then(Value::as_array);
    for choice in choices.into_iter().flatten() {
        one_of(page, choice);
    }
}

/// One of the things that a key can be: a name by itself, or a name with a value or a table.
fn one_of(page: &mut String, choice: &Value) {
    let names = choice.get("enum").and_then(Value::as_array);
    for name in names.into_iter().flatten().filter_map(Value::as_str) {
        write_line(page, &format!("\n### `\"{name}\"`\n"));
        write_line(page, text_of(choice));
    }
    for (name, content) in properties_of(choice) {
        let keys: Vec<&String> = properties_of(content).map(|(key, _)| key).collect();
        let form = if keys.is_empty() && content.get("$ref").is_none() {
            format!("{{ {name} = \"...\" }}")
        } else {
            format!("{{ {name} = {{ ... }} }}")
        };
        write_line(page, &format!("\n### `{form}`\n"));
        write_line(page, text_of(choice));
        for (key, property) in properties_of(content) {
            write_line(page, &format!("- `{key}`: {}", text_of(property)));
        }
    }
}

fn properties_of(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let properties = schema.get("properties").and_then(Value::as_object);
    properties.into_iter().flatten()
}

fn operations(page: &mut String) {
    write_line(page, "\nThe operations:\n");
    for scope in Scope::ALL {
        let privileged = if scope.is_privileged() {
            " Needs a nonce for every use."
        } else {
            ""
        };
        write_line(
            page,
            &format!("- `{}`: {}{privileged}", scope.as_str(), scope.meaning()),
        );
    }
}

fn text_of(schema: &Value) -> &str {
    if let Some(text) = schema.get("description").and_then(Value::as_str) {
        return text;
    }
    // A table that may be left out is "null or this".
    let choices = schema.get("oneOf").and_then(Value::as_array);
    choices
        .into_iter()
        .flatten()
        .map(text_of)
        .find(|text| !text.is_empty())
        .unwrap_or_default()
}

fn write_line(page: &mut String, line: &str) {
    // Writing to a String cannot fail.
    let _written = writeln!(page, "{line}");
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_reference_page_says_what_the_doc_comments_say() {
        let page = include_str!("../../../../docs/configuration.md");
        assert_eq!(
            page,
            super::markdown(),
            "write the page anew: agentd config-reference"
        );
    }
}
