/** A card is read: the form fills, and what should be warned about is warned about. */
import assert from "node:assert/strict";
import {
  assertAccessible,
  enterPin,
  openCounter,
  pairScreen,
  shownCode,
  shownText,
  startReading,
  valueOf,
} from "../support/pages.js";
import { onStage } from "../support/stage.js";

onStage("a card fills the form, and both people see the same word", async (stage) => {
  const page = await openCounter(stage);
  await assertAccessible(page, "counter-pairing");
  const screen = await pairScreen(stage, page);
  await assertAccessible(page, "counter-ready");
  await page.getByRole("button", { name: "マイナンバーカードを読み取る" }).click();
  await page.getByText("カードをリーダーに置いてもらってください。").waitFor();
  await assertAccessible(page, "counter-waiting-for-card");
  await stage.counter.insert("hanako");
  await screen.locator("#ask").waitFor();
  assert.equal(await shownText(page, "#word"), await shownText(screen, "#word"));
  assert.match(await shownText(page, "#card-municipality"), /東京都（13299）/);
  assert.equal(await shownText(page, "#card-expiry"), "2034年5月8日");
  await assertAccessible(page, "counter-asking");
  await enterPin(screen, "1234");
  assert.equal(await shownText(page, "#verdict-title"), "本物と確認しました");
  assert.equal(await valueOf(page, "name"), "見本　花子");
  assert.equal(await valueOf(page, "address"), "東京都見本市窓口町一丁目２番３号");
  assert.equal(await valueOf(page, "birth-date"), "1992-05-08");
  assert.equal(await shownText(page, "#birth-date-era"), "平成4年5月8日");
  await assertAccessible(page, "counter-genuine");
  await page.locator("#name").fill("見本　華子");
  assert.match(await shownText(page, "#name-origin"), /手で直しました/);
});

onStage("nothing that was read stays anywhere but in the form", async (stage) => {
  await stage.counter.insert("hanako");
  const page = await openCounter(stage);
  const screen = await pairScreen(stage, page);
  await startReading(page, screen);
  await enterPin(screen, "1234");
  await page.locator("#verdict").waitFor();
  const kept = await page.evaluate(() => JSON.stringify([location.href, document.cookie, { ...localStorage }, { ...sessionStorage }]));
  for (const personal of ["見本", "花子", "1992", "1234", "窓口町"]) {
    assert.ok(!kept.includes(personal), `${personal} is kept by the browser`);
    assert.ok(!stage.console.join("\n").includes(personal), `${personal} is in the console`);
  }
  await page.getByRole("button", { name: "次の方へ" }).click();
  assert.equal(await valueOf(page, "name"), "");
  assert.equal(await valueOf(page, "address"), "");
  assert.equal(await valueOf(page, "birth-date"), "");
});

onStage("a forged card fills nothing", async (stage) => {
  await stage.counter.insert("forged-data");
  const page = await openCounter(stage);
  const screen = await pairScreen(stage, page);
  await startReading(page, screen);
  await enterPin(screen, "4444");
  assert.equal(await shownText(page, "#verdict-title"), "偽造の疑いがあります");
  assert.equal(await valueOf(page, "name"), "");
  assert.equal(await valueOf(page, "address"), "");
  assert.equal(await valueOf(page, "birth-date"), "");
  await assertAccessible(page, "counter-forged");
});

onStage("a card of an unknown authority fills the form with a warning", async (stage) => {
  await stage.counter.insert("unknown-authority");
  const page = await openCounter(stage);
  const screen = await pairScreen(stage, page);
  await startReading(page, screen);
  await enterPin(screen, "7777");
  assert.equal(await shownText(page, "#verdict-title"), "本物か確認できません");
  assert.equal(await valueOf(page, "name"), "未知　局子");
  assert.match(await shownText(page, "#identity"), /目で確かめて/);
  await assertAccessible(page, "counter-not-verified");
});

onStage("an expired card is told before the PIN is asked for", async (stage) => {
  await stage.counter.insert("expired");
  const page = await openCounter(stage);
  const screen = await pairScreen(stage, page);
  await startReading(page, screen);
  assert.match(await shownText(page, "#card-warning"), /有効期限が切れています/);
  await assertAccessible(page, "counter-expired");
  await screen.getByRole("button", { name: "やめる" }).click();
  assert.equal(await shownCode(page), "PIN-DECLINED");
});

onStage("characters that other systems may not take are told beside their field", async (stage) => {
  await stage.counter.insert("extension-b");
  const page = await openCounter(stage);
  const screen = await pairScreen(stage, page);
  await startReading(page, screen);
  await enterPin(screen, "4826");
  await page.locator("#verdict").waitFor();
  assert.equal(await valueOf(page, "name"), "𠮷野　𠩤子");
  const notices = await page.locator("#name-notices li").allTextContents();
  assert.ok(notices.some((text) => text.includes("JIS X 0213") && text.includes("𠩤")), notices.join("\n"));
  await assertAccessible(page, "counter-notices");
});

onStage("a name keeps its variation selectors on the way to the form", async (stage) => {
  await stage.counter.insert("variation");
  const page = await openCounter(stage);
  const screen = await pairScreen(stage, page);
  await startReading(page, screen);
  await enterPin(screen, "7412");
  await page.locator("#verdict").waitFor();
  assert.equal(await valueOf(page, "name"), "渡邉\u{E0102}　葛\u{E0100}子");
  assert.equal(await page.locator("#name-notices li").count(), 2);
});

onStage("a wrong PIN tells how many tries are left", async (stage) => {
  await stage.counter.insert("hanako");
  const page = await openCounter(stage);
  const screen = await pairScreen(stage, page);
  await startReading(page, screen);
  await enterPin(screen, "9999");
  assert.equal(await shownCode(page), "PIN-WRONG");
  assert.match(await shownText(page, "#problem-tries"), /2回/);
  assert.equal(await stage.counter.pinTries("hanako"), 2);
  assert.match(await shownText(screen, "#outcome"), /違いました/);
  await assertAccessible(page, "counter-wrong-pin");
  await assertAccessible(screen, "pin-wrong");
});

onStage("a blocked card leads to the reset, and nothing is asked", async (stage) => {
  await stage.counter.insert("blocked");
  const page = await openCounter(stage);
  await pairScreen(stage, page);
  await page.getByRole("button", { name: "マイナンバーカードを読み取る" }).click();
  assert.equal(await shownCode(page), "PIN-BLOCKED");
});

onStage("the last try is spent only after a second decision of the clerk", async (stage) => {
  await stage.counter.insert("last-try");
  const page = await openCounter(stage);
  const screen = await pairScreen(stage, page);
  await page.getByRole("button", { name: "マイナンバーカードを読み取る" }).click();
  await page.locator("#last-try").waitFor();
  await assertAccessible(page, "counter-last-try");
  assert.equal(await stage.counter.pinTries("last-try"), 1);
  await page.getByRole("button", { name: "最後の1回を許可する" }).click();
  await assertAccessible(page, "counter-last-try-dialog");
  await page.getByRole("button", { name: "許可する", exact: true }).click();
  await screen.locator("#last-try").waitFor();
  await assertAccessible(screen, "pin-last-try");
  await enterPin(screen, "2222");
  assert.equal(await shownText(page, "#verdict-title"), "本物と確認しました");
});

onStage("the last try that is not allowed is not spent", async (stage) => {
  await stage.counter.insert("last-try");
  const page = await openCounter(stage);
  await pairScreen(stage, page);
  await page.getByRole("button", { name: "マイナンバーカードを読み取る" }).click();
  await page.locator("#last-try").waitFor();
  await page.getByRole("button", { name: "入力せずに終える" }).click();
  await page.locator("#problem").waitFor();
  assert.equal(await stage.counter.pinTries("last-try"), 1);
});

onStage("a reading is done with the keyboard alone, and the focus is always seen", async (stage) => {
  await stage.counter.insert("hanako");
  const page = await openCounter(stage);
  const screen = await pairScreen(stage, page);
  await page.bringToFront();
  await page.locator("body").focus();
  await pressTabUntil(page, "read");
  await page.keyboard.press("Enter");
  await screen.locator("#ask").waitFor();
  await screen.bringToFront();
  await screen.keyboard.type("12345");
  await screen.keyboard.press("Enter");
  assert.equal(await shownText(page, "#verdict-title"), "本物と確認しました");
  await page.bringToFront();
  await pressTabUntil(page, "print");
});

/** Walks with Tab to an element; every stop on the way must show where the focus is. */
async function pressTabUntil(page: import("playwright-core").Page, id: string): Promise<void> {
  for (let steps = 0; steps < 60; steps += 1) {
    await page.keyboard.press("Tab");
    const [at, seen] = await page.evaluate(() => {
      const focused = document.activeElement;
      const outline = focused === null ? "none" : getComputedStyle(focused).outlineStyle;
      return [focused?.id ?? "", focused === document.body || outline !== "none"] as const;
    });
    assert.ok(seen, `the focus on ${at} is not seen`);
    if (at === id) {
      return;
    }
  }
  assert.fail(`${id} is not reached with the keyboard`);
}
