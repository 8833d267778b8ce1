/** The other devices of a counter, from the page's button to the simulated device and back. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { assertAccessible, openCounter } from "../support/pages.js";
import { onStage, type Stage } from "../support/stage.js";
import { SCOPES } from "../../src/wire.js";

/** What takes a nonce, and so is in no ordinary token. */
const PRIVILEGED: readonly string[] = [
  "cardReader.readIndividualNumber",
  "cardReader.pinByApi",
  "cardReader.lastTry",
  "keyboard.type",
];

/** Opens the counter page for a member of staff who holds every ordinary right, with one fold open. */
async function openFold(stage: Stage, name: string): Promise<Page> {
  const scopes = SCOPES.filter((scope) => !PRIVILEGED.includes(scope));
  await stage.context.route(`${stage.counter.addresses.counterPage}/token`, async (route) => {
    const asked = route.request().postDataJSON() as { scopes?: unknown };
    await route.continue(asked.scopes === undefined ? { postData: JSON.stringify({ ...asked, scopes }) } : {});
  });
  const page = await openCounter(stage);
  // A ticket that an earlier test left unsettled is a warning, with which the printer can be used.
  await page.locator(`#${name}-state.ok, #${name}-state.warn`).waitFor();
  await page.locator(`#${name} summary`).click();
  return page;
}

onStage("codes are listed as they are scanned, with what is known of their text", async (stage) => {
  const page = await openFold(stage, "codeScanner");
  await page.getByRole("button", { name: "読み取りを始める" }).click();
  await page.getByText("コードをスキャナーにかざしてください。").waitFor();
  const scans = page.locator("#scans > li");
  for (const [index, text] of ["A-0001", "𠮷田　髙子"].entries()) {
    await stage.counter.device("codeScanner/scan", { text });
    await scans.nth(index).waitFor();
    assert.equal(await scans.first().locator(".scan-text").textContent(), text);
  }
  assert.match((await scans.nth(1).textContent()) ?? "", /英数字のみ/);
  await assertAccessible(page, "counter-scans");
  await page.getByRole("button", { name: "読み取りを終える" }).click();
  await page.getByText("読み取りを終えました。").waitFor();
  await page.getByRole("button", { name: "次の方へ" }).click();
  assert.equal(await scans.count(), 0);
});

onStage("a scanner that is unplugged ends the scanning in a sentence, and comes back", async (stage) => {
  const page = await openFold(stage, "codeScanner");
  await page.getByRole("button", { name: "読み取りを始める" }).click();
  await page.getByText("コードをスキャナーにかざしてください。").waitFor();
  await stage.counter.device("codeScanner/act", { action: "unplug" });
  await page.locator("#codeScanner-note.bad").waitFor();
  await assertAccessible(page, "counter-scanner-gone");
  await stage.counter.device("codeScanner/act", { action: "plug" });
  await page.locator("#codeScanner-state.ok").waitFor();
});

onStage("data are handed to another system, and a character that was replaced is named", async (stage) => {
  const page = await openFold(stage, "handover");
  await page.locator("#name").fill("見本　花子");
  await page.locator("#handover-choices button").first().click();
  await page.locator("#handover-note.ok, #handover-note.warn, #handover-note.bad").waitFor();
  await assertAccessible(page, "counter-handover");
});

onStage("a ticket is printed once, and a printer without paper says so", async (stage) => {
  const page = await openFold(stage, "ticketPrinter");
  const before = (await stage.counter.papers()).length;
  const print = page.getByRole("button", { name: "見本の番号札を印刷する" });
  await print.click();
  await page.getByText("印刷しました。紙を渡してください。").waitFor();
  assert.equal((await stage.counter.papers()).length, before + 1);
  await stage.counter.device("printer/act", { action: "takePaperOut" });
  await page.locator("#ticketPrinter-state.bad").waitFor();
  await print.click();
  await page.getByText("PRN-PAPER-OUT").waitFor();
  await assertAccessible(page, "counter-no-paper");
  await stage.counter.device("printer/act", { action: "putPaperIn" });
  await page.locator("#ticketPrinter-state.ok").waitFor();
  assert.equal((await stage.counter.papers()).length, before + 1);
});

onStage("a ticket of which nobody knows is settled by a person", async (stage) => {
  const page = await openFold(stage, "ticketPrinter");
  await stage.counter.device("printer/faults", { seed: 1, faults: [{ where: { byte: 3000 }, kind: "hang" }] });
  await page.getByRole("button", { name: "見本の番号札を印刷する" }).click();
  await page.getByText("PRN-UNKNOWN").waitFor({ timeout: 30_000 });
  const question = page.locator("#unresolved li");
  await question.waitFor();
  await assertAccessible(page, "counter-ticket-unknown");
  await stage.counter.calm("printer");
  await stage.counter.device("printer/act", { action: "switchOff" });
  await page.locator("#ticketPrinter-state.bad").waitFor();
  await stage.counter.device("printer/act", { action: "switchOn" });
  await page.locator("#ticketPrinter-state.ok, #ticketPrinter-state.warn").waitFor();
  await question.first().getByRole("button", { name: /は出た$/ }).click();
  await page.getByText("印刷済みとして記録しました。").waitFor();
  assert.equal(await question.count(), 0);
  await page.locator("#ticketPrinter-state.ok").waitFor();
});

/** Places within the pad's buttons, as shares of its width and height. */
const CONFIRM = { x: 0.87, y: 0.95 };
const DECLINE = { x: 0.3, y: 0.95 };

/** Touches the pad and takes the pen away. */
async function tap(stage: Stage, place: { readonly x: number; readonly y: number }): Promise<void> {
  for (const pressure of [0.5, 0.5, 0]) {
    await stage.counter.device("tablet/pen", { ...place, pressure });
  }
  await stage.counter.device("tablet/pen", null);
}

/** Turns the pad's pages until the one that is signed is on it, as the clerk's page tells. */
async function readThrough(stage: Stage, page: Page): Promise<void> {
  const ready = page.getByText("利用者が署名できます。");
  await page.getByText("署名タブレットに書類を表示しています。").or(ready).waitFor();
  while (!(await ready.isVisible())) {
    await tap(stage, CONFIRM);
    // Nothing comes where the touch was too early; then it is made again.
    await ready.waitFor({ timeout: 2000 }).catch(() => undefined);
  }
}

onStage("a form is signed by hand on the tablet, or the citizen declines", async (stage) => {
  const page = await openFold(stage, "signatureTablet");
  const sign = page.getByRole("button", { name: "請求書に署名してもらう" });
  await sign.click();
  await page.getByText("署名タブレットに書類を表示しています。").waitFor();
  await assertAccessible(page, "counter-signing");
  await readThrough(stage, page);
  await stage.counter.device("tablet/play", { seed: 5 });
  await tap(stage, CONFIRM);
  await page.getByText("手書きの署名を受け取りました。").waitFor();
  await sign.click();
  await readThrough(stage, page);
  await tap(stage, DECLINE);
  await page.locator("#signatureTablet-note.warn").waitFor();
  await assertAccessible(page, "counter-declined");
});

onStage("a sheet is scanned and shown, and an empty feeder says so", async (stage) => {
  const page = await openFold(stage, "documentScanner");
  const scan = page.getByRole("button", { name: "スキャンする", exact: true });
  await scan.click();
  await page.locator("#documentScanner-note.bad").waitFor();
  await stage.counter.device("documentScanner/sheets", [{ front: { text: { seed: 7, skew: 2 } }, back: "blank" }]);
  await scan.click();
  await page.getByText("スキャンしました。").waitFor();
  assert.ok(await page.locator("#scanned").isVisible());
  await assertAccessible(page, "counter-scanned");
});
