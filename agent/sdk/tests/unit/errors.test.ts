/** Each failure gets the kind by which a program decides. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { AgentError, isErrorBody } from "../../src/errors.js";
import { refusal } from "../support/mock-agent.js";

const TABLE = readFileSync(join(process.cwd(), "..", "..", "docs", "errors.md"), "utf8");

function kindOf(code: string, layer: string): string {
  return AgentError.fromAgent(refusal(code, layer)).kind;
}

test("every documented code has a kind that fits its layer", () => {
  const rows = [...TABLE.matchAll(/^\| `([A-Z-]+)` \| (\w+) \|/gm)];
  assert.ok(rows.length > 30, "the table of codes was not found");
  for (const [, code, layer] of rows) {
    const kind = kindOf(code ?? "", layer ?? "");
    if (layer === "pin") {
      assert.match(kind, /^pin_/, `${code} is ${kind}`);
    }
    if (layer === "card") {
      assert.match(kind, /^card_/, `${code} is ${kind}`);
    }
    if (layer === "device") {
      assert.match(kind, /^device_/, `${code} is ${kind}`);
    }
    if (layer === "content") {
      assert.match(kind, /^content_/, `${code} is ${kind}`);
    }
    if (layer === "person") {
      assert.match(kind, /^person_/, `${code} is ${kind}`);
    }
  }
});

test("the states that a clerk must tell apart have kinds of their own", () => {
  assert.equal(kindOf("DOR-TOKEN", "door"), "token_invalid");
  assert.equal(kindOf("DOR-ORIGIN", "door"), "origin_refused");
  assert.equal(kindOf("RDR-BUSY", "device"), "device_busy");
  assert.equal(kindOf("CRD-REMOVED", "card"), "card_removed");
  assert.equal(kindOf("PIN-LAST-TRY", "pin"), "pin_last_try");
});

test("a code of a newer agent is still told by its layer", () => {
  assert.equal(kindOf("CRD-SOMETHING-NEW", "card"), "card_unreadable");
  assert.equal(kindOf("XYZ-1", "a-new-layer"), "agent_failed");
});

test("an error carries the agent's sentences, code, request and tries", () => {
  const error = AgentError.fromAgent(refusal("PIN-WRONG", "pin", { triesLeft: 2 }));
  assert.equal(error.ja.message, "PIN-WRONG が起きました。");
  assert.equal(error.en.next, "What to do.");
  assert.equal(error.requestId, "request-1");
  assert.equal(error.triesLeft, 2);
});

test("a failure without an answer says what to do in both languages", () => {
  const error = AgentError.own("agent_absent");
  assert.equal(error.code, "SDK-AGENT-ABSENT");
  assert.notEqual(error.ja.next, "");
  assert.notEqual(error.en.next, "");
});

test("an answer of another program is no error of the agent", () => {
  assert.equal(isErrorBody({ error: "not found" }), false);
  assert.equal(isErrorBody(null), false);
  assert.equal(isErrorBody(refusal("DOR-HOST", "door")), true);
});
