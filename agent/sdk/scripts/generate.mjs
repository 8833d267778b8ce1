/**
 * Generates the wire types from the agent's own OpenAPI document.
 *
 * The document comes from the agent itself (`agentd openapi`), so that the types cannot drift from what
 * the agent serves. With `--document FILE` it comes from a file instead, for a machine without Rust.
 * The outcome is not committed.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import openapiTypescript, { astToString } from "openapi-typescript";

const packageFolder = join(dirname(fileURLToPath(import.meta.url)), "..");
const workspace = join(packageFolder, "..", "..");

/** Returns the OpenAPI document as text. */
function readDocument() {
  const flag = process.argv.indexOf("--document");
  const file = flag > 0 ? process.argv[flag + 1] : undefined;
  if (file !== undefined) {
    return readFileSync(file, "utf8");
  }
  const arguments_ = ["run", "--quiet", "-p", "agentd", "--bin", "agentd", "--", "openapi"];
  return execFileSync("cargo", arguments_, { cwd: workspace, encoding: "utf8", maxBuffer: 16 * 1024 * 1024 });
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

const tree = await openapiTypescript(withoutNull(JSON.parse(readDocument())));
const target = join(packageFolder, "src", "generated");
mkdirSync(target, { recursive: true });
writeFileSync(join(target, "api.ts"), astToString(tree));
