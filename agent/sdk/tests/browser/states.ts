/** What can be wrong between a page and a card is told apart, in the page's own words. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { assertAccessible, enterPin, openCounter, pairScreen, shownCode, startReading } from "../support/pages.js";
import { closedPort, onStage, type Stage } from "../support/stage.js";

/** Answers one of the page's own requests in the backend's place. */
async function replace(stage: Stage, path: string, body: unknown): Promise<void> {
  await stage.context.route(`${stage.counter.addresses.counterPage}/${path}`, (route) => route.fulfill({ json: body }));
}

/** Opens the counter page and returns the code of the problem that it shows. */
async function codeAfterOpening(page: Page, state: string): Promise<string> {
  const code = await shownCode(page);
  await assertAccessible(page, state);
  assert.ok(await page.locator("#read").isDisabled(), "a reading must not be offered");
  return code;
}

onStage("an absent agent", async (stage) => {
  await replace(stage, "config.json", { agent: `http://127.0.0.1:${await closedPort()}`, counter: "1" });
  const page = await stage.open(`${stage.counter.addresses.counterPage}/`);
  assert.equal(await codeAfterOpening(page, "counter-absent"), "SDK-AGENT-ABSENT");
});

onStage("a permission that was denied", async (stage) => {
  const page = await stage.open(`${stage.counter.addresses.counterPage}/`, "denied");
  assert.equal(await codeAfterOpening(page, "counter-denied"), "SDK-PERMISSION-DENIED");
});

onStage("a permission that nobody has decided", async (stage) => {
  const page = await stage.open(`${stage.publicOrigin}/`, "prompt");
  assert.equal(await codeAfterOpening(page, "counter-prompt"), "SDK-PERMISSION-PROMPT");
});

onStage("an origin that nobody enrolled", async (stage) => {
  const page = await stage.open(`${stage.publicOrigin}/`);
  assert.equal(await codeAfterOpening(page, "counter-refused"), "SDK-ORIGIN-REFUSED");
});

onStage("a token that is not valid", async (stage) => {
  await replace(stage, "token", { token: "e30.eyJpYXQiOjAsImV4cCI6NjAwfQ.AAAA" });
  const page = await stage.open(`${stage.counter.addresses.counterPage}/`);
  assert.equal(await codeAfterOpening(page, "counter-token"), "DOR-TOKEN");
});

onStage("an agent of another version", async (stage) => {
  const headers = { "access-control-allow-origin": stage.counter.addresses.counterPage };
  const json = { protocol: "madoguchi-agent", versions: [99] };
  await stage.context.route(`${stage.counter.addresses.agent}/v1/hello`, (route) => route.fulfill({ json, headers }));
  const page = await stage.open(`${stage.counter.addresses.counterPage}/`);
  assert.equal(await codeAfterOpening(page, "counter-version"), "SDK-VERSION-MISMATCH");
});

onStage("a reader that another page holds", async (stage) => {
  await stage.counter.insert("hanako");
  const page = await openCounter(stage);
  const { devices } = (await stage.counter.call("GET", "/v1/devices")) as { devices: { id: string; state: string }[] };
  const device = devices.find(({ state }) => state === "cardPresent")?.id;
  const lease = (await stage.counter.call("POST", "/v1/leases", { device, ttlMs: 60_000 })) as { id: string };
  await page.getByRole("button", { name: "マイナンバーカードを読み取る" }).click();
  assert.equal(await shownCode(page), "SDK-DEVICE-BUSY");
  await assertAccessible(page, "counter-busy");
  await stage.counter.call("DELETE", `/v1/leases/${encodeURIComponent(lease.id)}`);
});

onStage("a card that the citizen lifted, after which the next reading works", async (stage) => {
  await stage.counter.insert("hanako");
  const page = await openCounter(stage);
  const screen = await pairScreen(stage, page);
  await stage.counter.plan([{ where: "verify", side: "before", kind: "lift" }]);
  await startReading(page, screen);
  await enterPin(screen, "1234");
  const code = await shownCode(page);
  // Lifted in the middle of the PIN check, its outcome cannot be known to the reader.
  assert.ok(["CRD-REMOVED", "PIN-UNKNOWN"].includes(code), code);
  await assertAccessible(page, "counter-removed");
  await stage.counter.plan([]);
  await stage.counter.insert("hanako");
  await startReading(page, screen);
  await enterPin(screen, "1234");
  await page.locator("#verdict.ok").waitFor();
});

onStage("a card lifted before the PIN was typed", async (stage) => {
  await stage.counter.insert("hanako");
  const page = await openCounter(stage);
  const screen = await pairScreen(stage, page);
  await startReading(page, screen);
  await stage.counter.lift();
  assert.equal(await shownCode(page), "CRD-REMOVED");
  await screen.locator("#idle").waitFor();
  assert.equal(await stage.counter.pinTries("hanako"), 3);
});

onStage("a reading that the clerk cancelled", async (stage) => {
  await stage.counter.insert("hanako");
  const page = await openCounter(stage);
  const screen = await pairScreen(stage, page);
  await startReading(page, screen);
  await page.getByRole("button", { name: "読み取りを中止する" }).click();
  assert.equal(await shownCode(page), "JOB-CANCELLED");
  await screen.locator("#idle").waitFor();
  assert.equal(await stage.counter.pinTries("hanako"), 3);
});

onStage("a counter without a PIN screen", async (stage) => {
  await stage.counter.insert("hanako");
  const page = await openCounter(stage);
  await page.getByRole("button", { name: "マイナンバーカードを読み取る" }).click();
  assert.equal(await shownCode(page), "PIN-NO-SCREEN");
});
