/** A document is handed in, shown, and signed by hand; what the citizen decides is an outcome. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import "../support/browser-globals.js";
import { CounterAgent, failureOf, LEASE } from "../support/counter-agent.js";
import { refusal } from "../support/mock-agent.js";
import type { SigningOptions, SigningSurface } from "../../src/tablet.js";
import type { Act, InkSample, KeptDocument, SignedSummary } from "../../src/wire.js";

const PDF = new TextEncoder().encode("%PDF-1.7 sample");
const PURPOSE: SigningOptions = { purpose: "試験" };
const SUMMARY: SignedSummary = {
  documentSha256: "aa",
  shown: [],
  inkSha256: "bb",
  device: "pen",
  attempts: 2,
  samples: [3, 0],
  signedAt: 1,
  sealedBy: "key",
};
const SAMPLE: InkSample = [10, 1, 2, 3, 0, 0, 3];

let agent: CounterAgent;

beforeEach(async () => {
  agent = await CounterAgent.start("signatureTablet");
});

afterEach(async () => {
  await agent.stop();
});

function kept(id: string, role: string): KeptDocument {
  return { id, role, mediaType: "application/octet-stream", length: 3, sha256: "", expiresInMs: 60_000 };
}

function signs(): void {
  agent.gives({ kind: "signature", summary: SUMMARY, documents: [kept("c", "container"), kept("p", "pdf")] });
  agent.mock.on("POST /v1/documents/c/take", () => ({ bytes: new Uint8Array([1, 2, 3]) }));
  agent.mock.on("POST /v1/documents/p/take", () => ({ bytes: new Uint8Array([4]) }));
}

test("a signed document gives its container and exports, each taken once", async () => {
  signs();
  const ink: InkSample[] = [];
  agent.course(() => {
    agent.ink(1, [SAMPLE]);
    agent.push({ state: "succeeded", resultWaiting: true });
  });
  const options = { ...PURPOSE, exports: ["pdf"] as const, onInk: (samples: readonly InkSample[]) => ink.push(...samples) };
  const outcome = await agent.client.tablet.sign(PDF, options);
  assert.equal(outcome.kind, "signed");
  assert.ok(outcome.kind === "signed");
  assert.deepEqual([...new Uint8Array(await outcome.container.arrayBuffer())], [1, 2, 3]);
  assert.deepEqual(outcome.exports.map(({ role }) => role), ["pdf"]);
  assert.equal(outcome.summary.attempts, 2);
  assert.deepEqual(ink, [SAMPLE]);
  assert.equal(agent.mock.to("POST /v1/documents/c/take").length, 1);
  assert.equal(agent.mock.to(`DELETE ${LEASE}`).length, 1);
  const [handedIn] = agent.mock.to("POST /v1/documents");
  assert.equal(handedIn?.headers["content-type"], "application/pdf");
  assert.deepEqual([...(handedIn?.body as Uint8Array)], [...PDF]);
  const order = { document: "document-1", surface: "citizenScreen", everyPage: false, exports: ["pdf"] };
  assert.deepEqual(agent.tasks(), [{ kind: "captureSignature", order }]);
});

for (const [code, kind] of [
  ["SIG-DECLINED", "declined"],
  ["SIG-TIMEOUT", "timedOut"],
  ["SIG-EMPTY", "empty"],
] as const) {
  test(`${code} is the outcome ${kind}`, async () => {
    agent.course(() => agent.push({ state: "failed", error: refusal(code, "person") }));
    const outcome = await agent.client.tablet.sign(PDF, PURPOSE);
    assert.ok(outcome.kind !== "signed");
    assert.deepEqual([outcome.kind, outcome.reason.code], [kind, code]);
  });
}

test("a document that cannot be shown is an error, and the lease is given back", async () => {
  agent.mock.on("POST /v1/jobs", () => ({ status: 422, body: refusal("SIG-DOCUMENT", "content") }));
  assert.equal((await failureOf(agent.client.tablet.sign(PDF, PURPOSE))).kind, "content_refused");
  assert.equal(agent.mock.to(`DELETE ${LEASE}`).length, 1);
});

test("a page of the application shows, and its acts go out on the session of the lease", async () => {
  signs();
  const done: string[] = [];
  let say: (act: Act) => boolean = () => false;
  const surface: SigningSurface = {
    begin: (tell) => {
      say = tell;
      done.push("begin");
    },
    show: ({ page }) => {
      done.push(`show ${page}`);
      say({ kind: "shown", page });
      say({ kind: "confirm" });
    },
    ink: () => done.push("ink"),
    end: () => done.push("end"),
  };
  agent.hear((said) => {
    if (said.type === "act" && said.act.kind === "confirm") {
      agent.push({ state: "succeeded", resultWaiting: true });
    }
  });
  const show = { kind: "show", page: { page: 1, pages: 1, picture: "", area: [0, 0, 10, 10] } } as const;
  agent.course(() => agent.mock.say({ type: "item", job: "job-1", n: 1, item: { ...show, page: { ...show.page, area: [0, 0, 10, 10] } } }));
  const outcome = await agent.client.tablet.sign(PDF, { ...PURPOSE, surface });
  assert.equal(outcome.kind, "signed");
  assert.deepEqual(done, ["begin", "show 1", "end"]);
  const acts = agent.mock.greetings.flatMap((said) => (said.type === "act" ? [said.act.kind] : []));
  assert.deepEqual(acts, ["shown", "confirm"]);
  assert.equal(say({ kind: "redo" }), true, "the session still stands");
  agent.client.close();
  assert.equal(say({ kind: "redo" }), false);
});

test("a tablet is calibrated by crosses that the page shows bare", async () => {
  const calibration = { x: [0.000125, 0, -0.0125], y: [0, 0.0002, 0.025], worstError: 2.5 };
  agent.gives({ kind: "calibration", calibration });
  const done: string[] = [];
  let say: (act: Act) => boolean = () => false;
  const surface: SigningSurface = {
    begin: (tell) => {
      say = tell;
    },
    show: ({ page, pages }) => {
      done.push(`show ${page}/${pages}`);
      say({ kind: "shown", page });
    },
    ink() {},
    end: () => done.push("end"),
  };
  const cross = (n: number) =>
    agent.mock.say({ type: "item", job: "job-1", n, item: { kind: "show", page: { page: 1, pages: 1, picture: "" } } });
  let shown = 0;
  agent.hear((said) => {
    if (said.type === "act" && said.act.kind === "shown") {
      shown += 1;
      if (shown < 5) {
        cross(shown + 1);
      } else {
        agent.push({ state: "succeeded", resultWaiting: true });
      }
    }
  });
  agent.course(() => cross(1));
  assert.deepEqual(await agent.client.tablet.calibrate({ ...PURPOSE, surface }), calibration);
  assert.deepEqual(done, [...Array.from({ length: 5 }, () => "show 1/1"), "end"]);
  assert.deepEqual(agent.tasks(), [{ kind: "calibrateTablet", surface: "application" }]);
  assert.equal(agent.mock.to(`DELETE ${LEASE}`).length, 1);
});

test("taps that make no sense are an error, and the tablet's own screen needs no page", async () => {
  agent.course(() => agent.push({ state: "failed", error: refusal("SIG-CALIBRATION", "person") }));
  const failure = await failureOf(agent.client.tablet.calibrate(PURPOSE));
  assert.deepEqual([failure.kind, failure.code], ["person_stopped", "SIG-CALIBRATION"]);
  assert.deepEqual(agent.tasks(), [{ kind: "calibrateTablet", surface: "citizenScreen" }]);
});

test("a lost connection ends a signing that the page shows, and the page is cleared", async () => {
  let ended = false;
  const surface: SigningSurface = { begin() {}, show() {}, ink() {}, end: () => (ended = true) };
  agent.course(() => agent.mock.dropClients());
  assert.equal((await failureOf(agent.client.tablet.sign(PDF, { ...PURPOSE, surface }))).kind, "connection_lost");
  assert.equal(ended, true);
});
