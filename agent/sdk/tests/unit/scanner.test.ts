/** Each scan is given to the page once, and acknowledged only when it was taken over. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import "../support/browser-globals.js";
import { CounterAgent, failureOf, LEASE, moment, until } from "../support/counter-agent.js";
import { refusal } from "../support/mock-agent.js";
import type { ScanOptions } from "../../src/scanner.js";

let agent: CounterAgent;
let seen: string[];
const PURPOSE: ScanOptions = { purpose: "試験" };

beforeEach(async () => {
  agent = await CounterAgent.start("codeScanner");
  agent.gives({ kind: "scans", delivered: 0, undelivered: 0 });
  seen = [];
});

afterEach(async () => {
  await agent.stop();
});

/** A handler that keeps each scan until it is told to return. */
function holding(): { handler: (scan: { text: string | undefined }) => Promise<void>; release: () => void } {
  const waiting: (() => void)[] = [];
  return {
    handler: ({ text }) => {
      seen.push(text ?? "");
      return new Promise((resolve) => waiting.push(resolve));
    },
    release: () => waiting.shift()?.(),
  };
}

test("a scan comes with its bytes, and is acknowledged when the handler has returned", async () => {
  agent.course(() => agent.scan(1, "A-1"));
  const { handler, release } = holding();
  const abort = new AbortController();
  const bytes: Uint8Array[] = [];
  const take = (scan: { bytes: Uint8Array; text: string | undefined }) => {
    bytes.push(scan.bytes);
    return handler(scan);
  };
  const end = agent.client.scanner.onScan(take, { ...PURPOSE, signal: abort.signal });
  await until(() => seen.length > 0);
  assert.deepEqual(seen, ["A-1"]);
  assert.deepEqual([...(bytes[0] ?? [])], [0x41, 0x2d, 0x31]);
  await moment();
  assert.deepEqual(agent.received(), []);
  release();
  await until(() => agent.received().length > 0);
  assert.deepEqual(agent.received(), [1]);
  abort.abort();
  assert.deepEqual(await end, { delivered: 1, undelivered: 0 });
  assert.equal(agent.mock.to(`DELETE ${LEASE}`).length, 1);
});

test("the lease is bound to the session, without which no scan could be received", async () => {
  agent.course(() => agent.scan(1, "A"));
  await agent.client.scanner.onScan(() => undefined, { ...PURPOSE, once: true });
  const body = agent.mock.to("POST /v1/leases")[0]?.body;
  assert.deepEqual(body, { device: "codeScanner:1", ttlMs: 30_000, session: "session-1" });
});

test("a scan that is not acknowledged is not followed by the next", async () => {
  agent.course(() => {
    agent.scan(1, "first");
    agent.scan(2, "second");
  });
  const { handler, release } = holding();
  const abort = new AbortController();
  const end = agent.client.scanner.onScan(handler, { ...PURPOSE, signal: abort.signal });
  await until(() => seen.length > 0);
  await moment();
  assert.deepEqual(seen, ["first"]);
  release();
  await until(() => seen.length > 1 && agent.received().length > 0);
  await moment();
  assert.deepEqual(seen, ["first", "second"]);
  assert.deepEqual(agent.received(), [1]);
  release();
  await until(() => agent.received().length > 1);
  assert.deepEqual(agent.received(), [1, 2]);
  abort.abort();
  await end;
});

test("a handler that throws acknowledges nothing and ends the subscription", async () => {
  agent.course(() => {
    agent.scan(1, "first");
    agent.scan(2, "second");
  });
  const handler = ({ text }: { text: string | undefined }) => {
    seen.push(text ?? "");
    throw new Error("no room in the list");
  };
  const error = await failureOf(agent.client.scanner.onScan(handler, PURPOSE));
  assert.equal(error.kind, "handler_failed");
  assert.equal((error.cause as Error).message, "no room in the list");
  assert.deepEqual(seen, ["first"]);
  assert.deepEqual(agent.received(), []);
  assert.equal(agent.mock.to("DELETE /v1/jobs/job-1").length, 1);
  assert.equal(agent.mock.to(`DELETE ${LEASE}`).length, 1);
});

test("a lost connection ends the subscription, and no scan is given twice or to another job after it", async () => {
  agent.course(() => agent.scan(1, "first"));
  const { handler, release } = holding();
  const failed = failureOf(agent.client.scanner.onScan(handler, PURPOSE));
  await until(() => seen.length > 0);
  agent.mock.greet = () => ({ ...(agent.mock.welcome(false) as object), session: "session-2" }) as never;
  const back = new Promise<void>((resolve) => {
    const stop = agent.client.onConnection(({ state }) => {
      if (state === "connected") {
        stop();
        resolve();
      }
    });
  });
  agent.mock.dropClients();
  assert.equal((await failed).kind, "connection_lost");
  await back;
  // The handler finishes too late: its scan belongs to a session that is gone, so nobody hears of it.
  release();
  agent.scan(1, "first");
  agent.scan(2, "second");
  await moment();
  assert.deepEqual(seen, ["first"]);
  assert.deepEqual(agent.received(), []);
  // A new subscription is a new job; what the old one left behind does not come to it.
  agent.mock.on("POST /v1/jobs", () => {
    setImmediate(() => {
      agent.scan(2, "second", "job-1");
      agent.scan(1, "third", "job-2");
    });
    return { body: { ...agent.job, id: "job-2" } };
  });
  agent.mock.on("DELETE /v1/jobs/job-2", () => {
    setImmediate(() => agent.push({ id: "job-2", state: "succeeded" }));
    return { status: 204 };
  });
  agent.mock.on("POST /v1/jobs/job-2/result", () => ({ body: { kind: "scans", delivered: 1, undelivered: 0 } }));
  const take = ({ text }: { text: string | undefined }) => void seen.push(text ?? "");
  await agent.client.scanner.onScan(take, { ...PURPOSE, once: true });
  assert.deepEqual(seen, ["first", "third"]);
  const received = agent.mock.greetings.flatMap((said) => (said.type === "received" ? [said.job] : []));
  assert.deepEqual(received, ["job-2"]);
});

test("an item that comes again is given once", async () => {
  agent.course(() => {
    agent.scan(1, "first");
    agent.scan(1, "first");
    agent.scan(2, "second");
  });
  const abort = new AbortController();
  const take = ({ text }: { text: string | undefined }) => void seen.push(text ?? "");
  const end = agent.client.scanner.onScan(take, { ...PURPOSE, signal: abort.signal });
  await until(() => agent.received().length > 1);
  abort.abort();
  await end;
  assert.deepEqual(seen, ["first", "second"]);
  assert.deepEqual(agent.received(), [1, 2]);
});

test("a scan that overtakes the answer to the start is not lost", async () => {
  agent.mock.on("POST /v1/jobs", () => {
    agent.scan(1, "early");
    return { body: agent.job };
  });
  const take = ({ text }: { text: string | undefined }) => void seen.push(text ?? "");
  await agent.client.scanner.onScan(take, { ...PURPOSE, once: true });
  assert.deepEqual(seen, ["early"]);
});

test("one scan is enough where one was asked for", async () => {
  agent.course(() => {
    agent.scan(1, "first");
    agent.scan(2, "second");
  });
  const take = ({ text }: { text: string | undefined }) => void seen.push(text ?? "");
  const count = await agent.client.scanner.onScan(take, { ...PURPOSE, once: true });
  assert.deepEqual(seen, ["first"]);
  assert.equal(count.delivered, 1);
  assert.equal(agent.tasks().length, 1);
});

test("a loop acknowledges each scan when it asks for the next", async () => {
  agent.course(() => agent.scan(1, "first"));
  agent.hear((said) => {
    if (said.type === "received" && said.n === 1) {
      agent.scan(2, "second");
    }
  });
  for await (const scan of agent.client.scanner.scans(PURPOSE)) {
    seen.push(scan.text ?? "");
    if (seen.length === 2) {
      scan.received();
      await until(() => agent.received().length > 1);
      break;
    }
    await moment();
    assert.deepEqual(agent.received(), []);
  }
  assert.deepEqual(seen, ["first", "second"]);
  assert.deepEqual(agent.received(), [1, 2]);
  assert.equal(agent.mock.to(`DELETE ${LEASE}`).length, 1);
});

test("a loop that is left without a word acknowledges nothing", async () => {
  agent.course(() => agent.scan(1, "first"));
  const loop = async () => {
    for await (const scan of agent.client.scanner.scans(PURPOSE)) {
      throw new Error(scan.text);
    }
  };
  await assert.rejects(loop(), /first/);
  assert.deepEqual(agent.received(), []);
  assert.equal(agent.mock.to("DELETE /v1/jobs/job-1").length, 1);
});

test("a loop that is cancelled while it waits ends", async () => {
  const abort = new AbortController();
  setTimeout(() => abort.abort(), 20);
  for await (const scan of agent.client.scanner.scans({ ...PURPOSE, signal: abort.signal })) {
    seen.push(scan.text ?? "");
  }
  assert.deepEqual(seen, []);
});

test("a scanner that was unplugged is told with the agent's words", async () => {
  agent.course(() => agent.push({ state: "failed", error: refusal("DEV-GONE", "device") }));
  const error = await failureOf(agent.client.scanner.onScan(() => undefined, PURPOSE));
  assert.equal(error.kind, "device_absent");
});

test("a missing scanner is called by its name", async () => {
  agent.mock.on("GET /v1/devices", () => ({ body: { devices: [], cardService: "unused" } }));
  const error = await failureOf(agent.client.scanner.onScan(() => undefined, PURPOSE));
  assert.equal(error.ja.message, "バーコードスキャナーが見つかりません。");
});
