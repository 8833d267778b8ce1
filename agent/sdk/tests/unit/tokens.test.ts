/** Tokens are fetched once, renewed in time, and never kept where they are good for one call. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { TokenKeeper, lifetimeMs } from "../../src/tokens.js";
import { AgentError } from "../../src/errors.js";
import { SCOPES } from "../../src/wire.js";

function token(iat: number, exp: number): string {
  const claims = Buffer.from(JSON.stringify({ iat, exp, sub: "窓口" })).toString("base64url");
  return `e30.${claims}.c2ln`;
}

test("the lifetime is the one that the token states", () => {
  assert.equal(lifetimeMs(token(1000, 1600)), 600_000);
});

test("a text that is no token has no lifetime", () => {
  for (const text of ["", "a", "a.b.c", "a.e30.c", "..", token(1600, 1000)]) {
    assert.equal(lifetimeMs(text), 0, text);
  }
});

test("a token is renewed before it expires, whatever the wall clock says", async () => {
  let now = 0;
  let fetched = 0;
  const keeper = new TokenKeeper(async () => token(5, 605 + 0 * (fetched += 1)), () => now);
  await keeper.current();
  now = 449_000;
  await keeper.current();
  assert.equal(fetched, 1);
  now = 451_000;
  await keeper.current();
  assert.equal(fetched, 2);
});

test("callers who come together share one fetch", async () => {
  let fetched = 0;
  const keeper = new TokenKeeper(async () => {
    fetched += 1;
    return token(0, 600);
  });
  await Promise.all([keeper.current(), keeper.current(), keeper.current()]);
  assert.equal(fetched, 1);
});

test("a token with a nonce is fetched for each call", async () => {
  const asked: unknown[] = [];
  const keeper = new TokenKeeper(async (request) => {
    asked.push(request);
    return token(0, 600);
  });
  await keeper.privileged("n1", ["cardReader.lastTry"]);
  await keeper.privileged("n2", ["cardReader.lastTry"]);
  assert.deepEqual(asked, [
    { nonce: "n1", scopes: ["cardReader.lastTry"] },
    { nonce: "n2", scopes: ["cardReader.lastTry"] },
  ]);
});

test("a backend that fails is told apart from an agent that refuses", async () => {
  const keeper = new TokenKeeper(async () => Promise.reject(new Error("502")));
  await assert.rejects(keeper.current(), (error) => error instanceof AgentError && error.kind === "token_unavailable");
});

test("the scopes are those of the agent", () => {
  const source = readFileSync(join(process.cwd(), "..", "agent-api", "src", "token.rs"), "utf8");
  const names = [...source.matchAll(/#\[serde\(rename = "([\w.]+)"\)\]/g)].map((match) => match[1]);
  assert.deepEqual([...SCOPES], names);
});
