//! The AsyncAPI 3 document of the two WebSockets, made from the message types themselves.
//!
//! OpenAPI cannot describe the messages of a WebSocket. Each message type is a tagged enum; each variant
//! becomes one message, named by its tag, so that a new variant appears here by itself.

use agent_api::event::{ClientMessage, ServerMessage};
use agent_api::pin_screen::{ScreenInstruction, ScreenMessage};
use serde_json::{Map, Value, json};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

/// One direction of one WebSocket.
struct Direction {
    /// The operation, such as `tellAgent`.
    operation: &'static str,
    /// As the agent sees it: `receive` or `send`.
    action: &'static str,
    channel: &'static str,
    summary: &'static str,
}

const DIRECTIONS: [Direction; 4] = [
    Direction {
        operation: "applicationSays",
        action: "receive",
        channel: "events",
        summary: "What the counter application says.",
    },
    Direction {
        operation: "applicationHears",
        action: "send",
        channel: "events",
        summary: "What the counter application is told.",
    },
    Direction {
        operation: "pinScreenSays",
        action: "receive",
        channel: "pinScreen",
        summary: "What the PIN page says.",
    },
    Direction {
        operation: "pinScreenHears",
        action: "send",
        channel: "pinScreen",
        summary: "What the PIN page is told.",
    },
];

/// The document.
#[must_use]
pub fn document() -> Value {
    let mut schemas = Vec::new();
    let messages = [
        messages::<ClientMessage>(&mut schemas),
        messages::<ServerMessage>(&mut schemas),
        messages::<ScreenMessage>(&mut schemas),
        messages::<ScreenInstruction>(&mut schemas),
    ];
    let schemas: Map<String, Value> = schemas
        .into_iter()
        .map(|(name, schema)| (name, serde_json::to_value(schema).unwrap_or_default()))
        .collect();
    let mut channels = json!({
        "events": { "address": "/v1/events", "description": "The events of a counter application; `hello` comes first.", "messages": {} },
        "pinScreen": { "address": "/pin/events", "description": "The agent's own PIN page, on the PIN listener; `register` comes first.", "messages": {} },
    });
    let (mut operations, mut components) = (Map::new(), Map::new());
    for (direction, messages) in DIRECTIONS.iter().zip(messages) {
        let mut references = Vec::new();
        for (tag, payload) in messages {
            let name = format!("{}.{tag}", direction.operation);
            let place = format!("#/channels/{}/messages/{name}", direction.channel);
            references.push(json!({ "$ref": place }));
            if let Some(channel) = channels.pointer_mut(&format!("/{}/messages", direction.channel))
            {
                channel[&name] = json!({ "$ref": format!("#/components/messages/{name}") });
            }
            let message =
                json!({ "name": tag, "contentType": "application/json", "payload": payload });
            components.insert(name, message);
        }
        let operation = json!({
            "action": direction.action,
            "summary": direction.summary,
            "channel": { "$ref": format!("#/channels/{}", direction.channel) },
            "messages": references,
        });
        operations.insert(direction.operation.to_owned(), operation);
    }
    json!({
        "asyncapi": "3.0.0",
        "info": { "title": "Madoguchi agent, event streams", "version": env!("CARGO_PKG_VERSION") },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": { "messages": components, "schemas": schemas },
    })
}

/// The variants of a tagged enum, each with its tag, and the schemas to which they refer.
fn messages<T: PartialSchema + ToSchema>(
    schemas: &mut Vec<(String, RefOr<Schema>)>,
) -> Vec<(String, Value)> {
    T::schemas(schemas);
    let schema = serde_json::to_value(T::schema()).unwrap_or_default();
    let variants = schema
        .get("oneOf")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    variants
        .into_iter()
        .filter_map(|variant| tag(&variant).map(|tag| (tag, variant)))
        .collect()
}

fn tag(variant: &Value) -> Option<String> {
    let kind = variant.pointer("/properties/type/enum/0")?;
    kind.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use agent_api::event::{ClientMessage, ServerMessage};
    use agent_api::pin_screen::{ScreenInstruction, ScreenMessage};
    use serde_json::Value;

    use super::document;

    /// Does not compile when a variant is added, so that the list below is looked at then.
    #[expect(dead_code, reason = "only its exhaustiveness matters")]
    fn every_variant(c: ClientMessage, s: ServerMessage, m: ScreenMessage, i: ScreenInstruction) {
        match c {
            ClientMessage::Hello { .. }
            | ClientMessage::Token { .. }
            | ClientMessage::Received { .. }
            | ClientMessage::Act { .. } => {}
        }
        match s {
            ServerMessage::Welcome { .. }
            | ServerMessage::Event { .. }
            | ServerMessage::Item { .. }
            | ServerMessage::Refused { .. } => {}
        }
        match m {
            ScreenMessage::Register { .. }
            | ScreenMessage::Secret { .. }
            | ScreenMessage::Decline { .. }
            | ScreenMessage::Act { .. } => {}
        }
        match i {
            ScreenInstruction::Pairing { .. }
            | ScreenInstruction::Paired { .. }
            | ScreenInstruction::Idle { .. }
            | ScreenInstruction::Show { .. }
            | ScreenInstruction::Ink { .. }
            | ScreenInstruction::Ask { .. } => {}
        }
    }

    const MESSAGES: [&str; 18] = [
        "applicationHears.event",
        "applicationHears.item",
        "applicationHears.refused",
        "applicationHears.welcome",
        "applicationSays.act",
        "applicationSays.hello",
        "applicationSays.received",
        "applicationSays.token",
        "pinScreenHears.ask",
        "pinScreenHears.idle",
        "pinScreenHears.ink",
        "pinScreenHears.paired",
        "pinScreenHears.pairing",
        "pinScreenHears.show",
        "pinScreenSays.act",
        "pinScreenSays.decline",
        "pinScreenSays.register",
        "pinScreenSays.secret",
    ];

    #[test]
    fn the_document_lists_exactly_the_messages_that_exist() {
        let document = document();
        let messages = document["components"]["messages"].as_object().unwrap();
        let names: Vec<&str> = messages.keys().map(String::as_str).collect();
        assert_eq!(names, MESSAGES);
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = document();
        let mut missing = BTreeSet::new();
        collect_missing(&document, &document, &mut missing);
        assert!(missing.is_empty(), "{missing:?}");
    }

    fn collect_missing(document: &Value, part: &Value, missing: &mut BTreeSet<String>) {
        if let Some(target) = part.get("$ref").and_then(Value::as_str) {
            let pointer = target.trim_start_matches('#');
            if document.pointer(pointer).is_none() {
                missing.insert(target.to_owned());
            }
        }
        let inner: Vec<&Value> = match part {
            Value::Object(members) => members.values().collect(),
            Value::Array(items) => items.iter().collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
        };
        inner
            .into_iter()
            .for_each(|inner| collect_missing(document, inner, missing));
    }
}
