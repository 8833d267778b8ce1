/** A reading takes a lease, follows its job by events, takes the result once, and gives the lease back. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import "../support/browser-globals.js";
import { MockAgent, refusal, type Answer } from "../support/mock-agent.js";
import { AgentClient } from "../../src/client.js";
import { AgentError } from "../../src/errors.js";
import type { ReadingOptions } from "../../src/reading.js";
import type { Job, JobRequest, Reading } from "../../src/wire.js";

const JOB: Job = { id: "job-1", word: "さくら", device: "pcsc:A", state: "accepted", resultWaiting: false };
const READING: Reading = {
  kind: "reading",
  card: { municipalityCode: "13999", expiresOn: "2030-05-01", expired: false },
  serial: "000000000000001",
  attributes: { name: "見本　花子", address: "さくら市中央1-1", birthDate: "1980-01-31", sex: "2" },
  authenticity: { verdict: "genuine", anchor: "test" },
  notices: [],
};
const FOUR: ReadingOptions = { fields: ["fourAttributes"], credential: "pinOnScreen", purpose: "試験" };

let agent: MockAgent;
let client: AgentClient;
let tokenRequests: unknown[];

beforeEach(async () => {
  agent = new MockAgent();
  tokenRequests = [];
  const lease = { id: "lease-1", device: "pcsc:A", state: "granted", fence: 7, expiresInMs: 30_000 };
  agent.on("GET /v1/devices", () => ({ body: { devices: [reader("pcsc:B", "empty"), reader("pcsc:A", "cardPresent")], cardService: "up" } }));
  agent.on("POST /v1/leases", () => ({ body: lease }));
  agent.on("DELETE /v1/leases/lease-1", () => ({ status: 204 }));
  agent.on("POST /v1/nonces", () => ({ body: { nonce: "nonce-1", expiresInMs: 60_000 } }));
  agent.on("POST /v1/jobs", () => ({ body: JOB }));
  agent.on("POST /v1/jobs/job-1/result", () => ({ body: READING }));
  agent.on("POST /v1/jobs/job-1/answers", () => ({ status: 204 }));
  client = new AgentClient({
    address: await agent.start(),
    getToken: async (request) => {
      tokenRequests.push(request);
      return request.nonce === undefined ? "e30.eyJpYXQiOjAsImV4cCI6NjAwfQ.c2ln" : `with.${request.nonce}.c2ln`;
    },
  });
  await client.connect();
});

afterEach(async () => {
  client.close();
  await agent.stop();
});

function reader(id: string, state: string): object {
  return { id, class: "cardReader", name: id, state, health: { usable: true }, capabilities: { pinPad: false } };
}

function pushJob(change: Partial<Job>): void {
  agent.push({ kind: "job", job: { ...JOB, state: "running", ...change } });
}

/** Answers the start of a job, and then says each change by event. */
function jobGoes(...changes: Partial<Job>[]): void {
  agent.on("POST /v1/jobs", (): Answer => {
    setImmediate(() => changes.forEach(pushJob));
    return { body: JOB };
  });
}

async function failure(options: ReadingOptions): Promise<AgentError> {
  try {
    await client.readMyNumberCard(options);
  } catch (error) {
    assert.ok(error instanceof AgentError, String(error));
    return error;
  }
  throw new assert.AssertionError({ message: "the reading did not fail" });
}

test("a reading returns its result and gives the lease back", async () => {
  jobGoes({ step: "reading" }, { state: "succeeded", resultWaiting: true });
  const steps: (string | undefined)[] = [];
  const reading = await client.readMyNumberCard({ ...FOUR, onProgress: (job) => steps.push(job.step) });
  assert.equal(reading.attributes?.name, "見本　花子");
  assert.deepEqual(steps, [undefined, "reading", undefined]);
  assert.equal(agent.to("POST /v1/jobs/job-1/result").length, 1);
  assert.equal(agent.to("DELETE /v1/leases/lease-1").length, 1);
  assert.equal(agent.to("GET /v1/jobs/job-1").length, 0, "a job is followed by events, never polled");
});

test("the reader with a card is chosen, and the lease is bound to the session", async () => {
  jobGoes({ state: "succeeded" });
  await client.readMyNumberCard(FOUR);
  assert.deepEqual(agent.to("POST /v1/leases")[0]?.body, { device: "pcsc:A", ttlMs: 30_000, session: "session-1" });
});

test("an event that overtakes the answer is not lost", async () => {
  agent.on("POST /v1/jobs", () => {
    pushJob({ state: "succeeded", resultWaiting: true });
    return { body: JOB };
  });
  assert.equal((await client.readMyNumberCard(FOUR)).kind, "reading");
});

test("a start whose answer was lost is repeated under the same key", async () => {
  let starts = 0;
  agent.on("POST /v1/jobs", () => {
    starts += 1;
    if (starts === 1) {
      return "cut";
    }
    setImmediate(() => pushJob({ state: "succeeded" }));
    return { body: JOB };
  });
  await client.readMyNumberCard(FOUR);
  const keys = agent.to("POST /v1/jobs").map((request) => request.headers["idempotency-key"]);
  assert.equal(keys.length, 2);
  assert.equal(keys[0], keys[1]);
});

test("a lifted card is told with the agent's words, and the lease is given back", async () => {
  jobGoes({ state: "failed", error: refusal("CRD-REMOVED", "card") });
  const error = await failure(FOUR);
  assert.equal(error.kind, "card_removed");
  assert.equal(error.requestId, "request-1");
  assert.equal(agent.to("DELETE /v1/leases/lease-1").length, 1);
});

test("a reader held by another page is busy, and the place in the queue is given up", async () => {
  const waiting = { id: "lease-1", device: "pcsc:A", state: "waiting", ahead: 1, expiresInMs: 30_000 };
  agent.on("POST /v1/leases", () => ({ body: waiting }));
  assert.equal((await failure(FOUR)).kind, "device_busy");
  assert.equal(agent.to("DELETE /v1/leases/lease-1").length, 1);
});

test("a page that is willing to wait gets the reader when it is free", async () => {
  const waiting = { id: "lease-1", device: "pcsc:A", state: "waiting" as const, ahead: 1, expiresInMs: 30_000 };
  agent.on("POST /v1/leases", () => {
    setImmediate(() => agent.push({ kind: "lease", lease: { ...waiting, state: "granted", fence: 8 } }));
    return { body: waiting };
  });
  jobGoes({ state: "succeeded" });
  await client.readMyNumberCard({ ...FOUR, waitForDeviceMs: 10_000 });
  assert.equal((agent.to("POST /v1/jobs")[0]?.body as JobRequest).fence, 8);
});

test("the individual number is asked for with a nonce of this agent", async () => {
  jobGoes({ state: "succeeded" });
  await client.readMyNumberCard({ ...FOUR, fields: ["fourAttributes", "individualNumber"] });
  assert.equal(agent.to("POST /v1/jobs")[0]?.headers.authorization, "Bearer with.nonce-1.c2ln");
  assert.deepEqual(tokenRequests.at(-1), {
    nonce: "nonce-1",
    scopes: ["cardReader.readFourAttributes", "cardReader.readIndividualNumber"],
  });
});

test("the last try is allowed with a nonce, and asked about once", async () => {
  const question = { ask: 1, kind: "pinOnScreen", triesLeft: 1, lastTryAllowed: false } as const;
  jobGoes({ question }, { question });
  agent.on("POST /v1/jobs/job-1/answers", () => {
    setImmediate(() => pushJob({ state: "succeeded" }));
    return { status: 204 };
  });
  let asked = 0;
  await client.readMyNumberCard({
    ...FOUR,
    onQuestion: (_, reply) => {
      asked += 1;
      void reply.allowLastTry();
    },
  });
  assert.equal(asked, 1);
  const answer = agent.to("POST /v1/jobs/job-1/answers")[0];
  assert.deepEqual(answer?.body, { kind: "allowLastTry", ask: 1 });
  assert.equal(answer?.headers.authorization, "Bearer with.nonce-1.c2ln");
});

test("an aborted reading cancels its job and gives the lease back", async () => {
  const abort = new AbortController();
  jobGoes({ step: "waitingForCard" });
  agent.on("DELETE /v1/jobs/job-1", () => {
    setImmediate(() => pushJob({ state: "cancelled", error: refusal("JOB-CANCELLED", "agent") }));
    return { status: 204 };
  });
  const onProgress = (job: Job) => {
    if (job.step === "waitingForCard") {
      abort.abort();
    }
  };
  const error = await failure({ ...FOUR, signal: abort.signal, onProgress });
  assert.equal(error.kind, "cancelled");
  assert.equal(agent.to("DELETE /v1/leases/lease-1").length, 1);
});

test("a job whose end was missed is asked for after the reconnect", async () => {
  agent.on("GET /v1/jobs/job-1", () => ({ body: { ...JOB, state: "succeeded", resultWaiting: true } }));
  agent.on("POST /v1/jobs", () => {
    agent.greet = () => agent.welcome(true);
    setImmediate(() => agent.dropClients());
    return { body: JOB };
  });
  assert.equal((await client.readMyNumberCard(FOUR)).kind, "reading");
});

test("readers that the operating system denies are not called unplugged", async () => {
  agent.on("GET /v1/devices", () => ({ body: { devices: [], cardService: "denied" } }));
  await assert.rejects(client.readMyNumberCard(FOUR), (error: unknown) => {
    return error instanceof AgentError && error.kind === "device_denied" && error.retry === "never";
  });
});

test("a token that expired before a call is replaced, and the call made once more", async () => {
  let calls = 0;
  agent.on("GET /v1/devices", () => {
    calls += 1;
    return calls === 1
      ? { status: 401, body: refusal("DOR-TOKEN-EXPIRED", "door") }
      : { body: { devices: [], cardService: "up" } };
  });
  assert.deepEqual((await client.devices()).devices, []);
  assert.equal(tokenRequests.length, 2);
});
