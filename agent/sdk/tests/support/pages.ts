/** What people do on the pages, in the words of the counter; each waits for what the page shows. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";
import { given } from "./arguments.js";
import type { Stage } from "./stage.js";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly target: unknown }[];
}

/** Holds the page, in its present state, against WCAG 2.2 AA and axe's best practices. */
export async function assertAccessible(page: Page, state: string): Promise<void> {
  if (given.pictures !== undefined) {
    await page.screenshot({ path: `${given.pictures}/${state}.png`, fullPage: true });
  }
  await page.evaluate(AXE);
  const violations = (await page.evaluate(
    "axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })" +
      ".then((result) => result.violations)",
  )) as Violation[];
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => String(node.target)).join(", ")}`);
  assert.deepEqual(found, [], `the page is not accessible in the state ${state}`);
}

/** Opens the counter page and waits until it is connected to the agent. */
export async function openCounter(stage: Stage): Promise<Page> {
  const page = await stage.open(`${stage.counter.addresses.counterPage}/`);
  await page.locator("#read:enabled").waitFor();
  return page;
}

/** Opens the citizen's screen, pairs it with the counter, and waits until both sides know. */
export async function pairScreen(stage: Stage, counterPage: Page): Promise<Page> {
  const screen = await stage.open(`${stage.counter.addresses.pinPage}/`);
  const code = await shownText(screen, "#code");
  assert.match(code, /^[0-9]{6}$/);
  await counterPage.locator("#pairing-code").fill(code);
  await counterPage.getByRole("button", { name: "つなぐ", exact: true }).click();
  await screen.locator("#idle").waitFor();
  await counterPage.locator("#screen-state.ok").waitFor();
  return screen;
}

/** Starts a reading and waits until the citizen's screen asks. */
export async function startReading(counterPage: Page, screen: Page): Promise<void> {
  await counterPage.getByRole("button", { name: "マイナンバーカードを読み取る" }).click();
  await screen.locator("#ask").waitFor();
}

/** Types the PIN with the keys of the screen and confirms it. */
export async function enterPin(screen: Page, pin: string): Promise<void> {
  for (const digit of pin) {
    await screen.getByRole("button", { name: digit, exact: true }).click();
  }
  await screen.getByRole("button", { name: "確定する" }).click();
}

/** The text of an element, once it is shown. */
export async function shownText(page: Page, selector: string): Promise<string> {
  const found = page.locator(selector);
  await found.waitFor();
  return (await found.textContent()) ?? "";
}

/** Waits for the error box and returns the code that it shows. */
export async function shownCode(page: Page): Promise<string> {
  await page.locator("#problem").waitFor();
  return /コード ([A-Z-]+)/.exec(await shownText(page, "#problem-code"))?.[1] ?? "";
}

/** The value of a field. */
export async function valueOf(page: Page, id: string): Promise<string> {
  return page.locator(`#${id}`).inputValue();
}
