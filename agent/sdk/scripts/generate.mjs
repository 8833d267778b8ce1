/**
 * Generates the wire types from the agent's own OpenAPI and AsyncAPI documents.
 *
 * The documents come from the agent itself (`agentd openapi`, `agentd asyncapi`), so that the types cannot
 * drift from what the agent serves. `--agentd PROGRAM` names a built agent; without it cargo builds one.
 * With `--document FILE`, given once for each, they come from files, for a machine without Rust. The schemas of both are JSON Schema with the same references, so
 * they become one set of types. The outcome is not committed.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import openapiTypescript, { astToString } from "openapi-typescript";

const packageFolder = join(dirname(fileURLToPath(import.meta.url)), "..");
const workspace = join(packageFolder, "..", "..");

const { values } = parseArgs({
  options: { agentd: { type: "string" }, document: { type: "string", multiple: true } },
});

/** Returns what the agent prints about itself. */
function ask(subcommand) {
  const options = { encoding: "utf8", maxBuffer: 16 * 1024 * 1024 };
  return values.agentd === undefined
    ? execFileSync("cargo", ["run", "--quiet", "-p", "agentd", "--bin", "agentd", "--", subcommand], { cwd: workspace, ...options })
    : execFileSync(values.agentd, [subcommand], options);
}

/** Returns both documents, parsed. */
function readDocuments() {
  const texts = values.document?.map((file) => readFileSync(file, "utf8")) ?? [ask("openapi"), ask("asyncapi")];
  return texts.map((text) => JSON.parse(text));
}

/**
 * Takes `null` out of every schema: the agent leaves an absent member out and never sends null, but the
 * document's generator cannot say so.
 */
function withoutNull(schema) {
  if (Array.isArray(schema)) {
    return schema.map(withoutNull);
  }
  if (typeof schema !== "object" || schema === null) {
    return schema;
  }
  const copy = Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, withoutNull(value)]));
  if (Array.isArray(copy.type)) {
    const types = copy.type.filter((type) => type !== "null");
    copy.type = types.length === 1 ? types[0] : types;
  }
  if (Array.isArray(copy.oneOf)) {
    copy.oneOf = copy.oneOf.filter((choice) => choice.type !== "null");
  }
  return copy;
}

/** The types of the messages of the event stream: each operation's messages are one tagged union. */
const MESSAGE_TYPES = { applicationSays: "ClientMessage", applicationHears: "ServerMessage" };

/** Returns the schemas of a document, those of its messages included. */
function schemasOf(document) {
  const schemas = { ...document.components.schemas };
  for (const [operation, name] of Object.entries(MESSAGE_TYPES)) {
    const references = document.operations?.[operation]?.messages;
    if (references !== undefined) {
      const messages = references.map(({ $ref }) => document.components.messages[$ref.split("/").at(-1)]);
      schemas[name] = { oneOf: messages.map((message) => message.payload) };
    }
  }
  return schemas;
}

const schemas = Object.assign({}, ...readDocuments().map(schemasOf));
const tree = await openapiTypescript({
  openapi: "3.1.0",
  info: { title: "wire types", version: "1" },
  paths: {},
  components: { schemas: withoutNull(schemas) },
});
const target = join(packageFolder, "src", "generated");
mkdirSync(target, { recursive: true });
writeFileSync(join(target, "api.ts"), astToString(tree));
