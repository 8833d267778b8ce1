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
  await page.locator(`#${name}-state.ok`).waitFor();
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
