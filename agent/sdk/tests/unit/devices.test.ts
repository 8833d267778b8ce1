/** Printers, document scanners, typing and handover: what is asked of the agent, and what comes back. */
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import "../support/browser-globals.js";
import { CounterAgent, failureOf } from "../support/counter-agent.js";
import { refusal } from "../support/mock-agent.js";
import { devicesOfClass } from "../../src/devices.js";
import { DEVICE_CLASSES, type Device, type DeviceList, type PrintedTicket } from "../../src/wire.js";

const PURPOSE = { purpose: "試験" };
const PRINTED: PrintedTicket = { ticket: "A-1", state: "printed", confidence: "confirmed", papers: [1, 0] };
const PNG = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

let agent: CounterAgent;

afterEach(async () => {
  await agent.stop();
});

test("a ticket is printed under its own name, its picture handed in first", async () => {
  agent = await CounterAgent.start("ticketPrinter");
  agent.succeeds({ kind: "ticket", ticket: PRINTED });
  const content = [
    { kind: "number", text: "15" },
    { kind: "picture", picture: PNG },
  ] as const;
  assert.deepEqual(await agent.client.printer.print({ ticket: "A-1", content }, PURPOSE), PRINTED);
  const elements = [{ kind: "number", text: "15" }, { kind: "picture", document: "document-1" }];
  assert.deepEqual(agent.tasks(), [{ kind: "printTicket", ticket: "A-1", content: elements, reissue: false }]);
  assert.equal(agent.mock.to("POST /v1/documents")[0]?.headers["content-type"], "image/png");
});

test("a further paper is asked for as such", async () => {
  agent = await CounterAgent.start("ticketPrinter");
  agent.succeeds({ kind: "ticket", ticket: { ...PRINTED, papers: [1, 1] } });
  const printed = await agent.client.printer.reissue({ ticket: "A-1", content: [] }, PURPOSE);
  assert.deepEqual(printed.papers, [1, 1]);
  assert.deepEqual(agent.tasks(), [{ kind: "printTicket", ticket: "A-1", content: [], reissue: true }]);
});

test("a print whose outcome nobody knows is told, listed and settled", async () => {
  agent = await CounterAgent.start("ticketPrinter");
  agent.course(() => agent.push({ state: "failed", error: refusal("PRN-UNKNOWN", "device") }));
  const error = await failureOf(agent.client.printer.print({ ticket: "A-1", content: [] }, PURPOSE));
  assert.equal(error.kind, "device_outcome_unknown");
  agent.succeeds({ kind: "tickets", tickets: [{ ticket: "A-1", reason: "silent", orderedAt: 5 }] });
  assert.deepEqual((await agent.client.printer.unresolved(PURPOSE)).map(({ ticket }) => ticket), ["A-1"]);
  agent.succeeds({ kind: "ticket", ticket: PRINTED });
  assert.equal((await agent.client.printer.settle("A-1", true, PURPOSE)).state, "printed");
  assert.deepEqual(agent.tasks().slice(1), [{ kind: "listTickets" }, { kind: "settleTicket", ticket: "A-1", cameOut: true }]);
});

test("a printer that cannot print now is chosen even so, for the agent's own words about it", async () => {
  agent = await CounterAgent.start("ticketPrinter");
  const health = { usable: false, code: "PRN-PAPER-OUT" };
  const device = { id: "p", class: "ticketPrinter", name: "p", state: "notReady", health, capabilities: { pinPad: false } };
  agent.mock.on("GET /v1/devices", () => ({ body: { devices: [device], cardService: "up" } }));
  agent.mock.on("POST /v1/jobs", () => ({ status: 409, body: refusal("PRN-PAPER-OUT", "device") }));
  const error = await failureOf(agent.client.printer.print({ ticket: "A-1", content: [] }, PURPOSE));
  assert.equal(error.kind, "device_not_ready");
  assert.equal(error.ja.message, "PRN-PAPER-OUT が起きました。");
});

test("a PDF is printed", async () => {
  agent = await CounterAgent.start("pagePrinter");
  agent.succeeds({ kind: "pages", printed: 4 });
  const pdf = new Blob(["%PDF-1.7"], { type: "application/pdf" });
  assert.equal(await agent.client.pagePrinter.print(pdf, { ...PURPOSE, copies: 2, duplex: true }), 4);
  assert.deepEqual(agent.tasks(), [{ kind: "printDocument", document: "document-1", copies: 2, duplex: true }]);
});

test("a scanned document is taken once, and its pages are counted as they come", async () => {
  agent = await CounterAgent.start("documentScanner");
  const document = { id: "d", role: "document", mediaType: "application/pdf", length: 4, sha256: "", expiresInMs: 1 };
  agent.gives({ kind: "document", document, pages: [{ width: 1, height: 2, turned: 0, blank: false }], blankDropped: 1 });
  agent.mock.on("POST /v1/documents/d/take", () => ({ bytes: new TextEncoder().encode("%PDF") }));
  agent.course(() => {
    agent.mock.say({ type: "item", job: "job-1", n: 1, item: { kind: "page", pages: 1 } });
    agent.mock.say({ type: "item", job: "job-1", n: 2, item: { kind: "page", pages: 2 } });
    agent.push({ state: "succeeded", resultWaiting: true });
  });
  const counts: number[] = [];
  const options = { ...PURPOSE, source: "flatbed", onPages: (pages: number) => counts.push(pages) } as const;
  const scanned = await agent.client.documentScanner.scan(options);
  assert.equal(scanned.content.type, "application/pdf");
  assert.equal(await scanned.content.text(), "%PDF");
  assert.equal(scanned.blankDropped, 1);
  assert.deepEqual(counts, [1, 2]);
  const [task] = agent.tasks();
  assert.ok(task?.kind === "scanDocument");
  assert.deepEqual([task.order.source, task.order.resolution, task.order.format], ["flatbed", 300, "pdfA"]);
  assert.equal(agent.mock.to("POST /v1/documents/d/take").length, 1);
});

test("typing into a form takes a nonce of this agent", async () => {
  agent = await CounterAgent.start("keyboard");
  agent.succeeds({ kind: "typed", steps: 3 });
  assert.equal(await agent.client.keyboard.type("jumin", { name: "髙橋" }, PURPOSE), 3);
  assert.equal(agent.mock.to("POST /v1/jobs")[0]?.headers.authorization, "Bearer with.nonce-1.c2ln");
  assert.deepEqual(agent.tokenRequests.at(-1), { nonce: "nonce-1", scopes: ["keyboard.see", "keyboard.type"] });
  assert.deepEqual(agent.tasks(), [{ kind: "typeText", form: "jumin", values: { name: "髙橋" } }]);
});

test("a handover names each character that was replaced", async () => {
  agent = await CounterAgent.start("handover");
  const notices = [{ field: "name", position: 0, codePoint: "U+20BB7" }];
  agent.succeeds({ kind: "handedOver", file: { file: "a.csv", sequence: 9, notices, taken: true } });
  const file = await agent.client.handover.write("jumin", { name: "𠮷田" }, PURPOSE);
  assert.deepEqual(file, { file: "a.csv", sequence: 9, notices, taken: true });
});

test("a result of another kind is not taken for the one that was asked for", async () => {
  agent = await CounterAgent.start("handover");
  agent.succeeds({ kind: "typed", steps: 3 });
  assert.equal((await failureOf(agent.client.handover.write("jumin", {}, PURPOSE))).kind, "agent_failed");
});

test("devices are listed by their kind, usable ones first, with what they say of themselves", async () => {
  agent = await CounterAgent.start("ticketPrinter");
  const base = { name: "x", state: "ready", capabilities: { pinPad: false, dots: 576 }, make: { vendor: "", model: "", serial: "", firmware: "" } } as const;
  const broken: Device = { ...base, id: "1", class: "ticketPrinter", health: { usable: false, code: "PRN-COVER-OPEN" } };
  const worn: Device = { ...base, id: "2", class: "ticketPrinter", health: { usable: true, warnings: ["PRN-PAPER-LOW"] }, counters: { cuts: 7 } };
  const list: DeviceList = { devices: [broken, { ...worn, id: "3", class: "cardReader" }, worn], cardService: "up" };
  agent.mock.on("GET /v1/devices", () => ({ body: list }));
  const printers = await agent.client.devicesOf("ticketPrinter");
  assert.deepEqual(printers.map(({ id }) => id), ["2", "1"]);
  assert.deepEqual(printers[0]?.health.warnings, ["PRN-PAPER-LOW"]);
  assert.equal(printers[0]?.counters?.["cuts"], 7);
  assert.equal(printers[0]?.capabilities.dots, 576);
  assert.equal(devicesOfClass(list, "handover").length, 0);
});

test("the kinds of devices are those of the agent", async () => {
  agent = await CounterAgent.start("cardReader");
  const { readFileSync } = await import("node:fs");
  const { join } = await import("node:path");
  const source = readFileSync(join(process.cwd(), "..", "agent-api", "src", "device.rs"), "utf8");
  for (const name of DEVICE_CLASSES) {
    assert.ok(source.includes(`\`${name}\``), name);
  }
});
