/**
 * The stage of the browser tests: one counter for all of them, and for each test a browser with a fresh
 * profile, to which the counter page counts as a page of the public internet.
 *
 * The permission is always set, because a headless browser that is not told denies at the first request.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { chromium, type BrowserContext, type Page } from "playwright-core";
import { Counter } from "./counter.js";
import { PublicSite } from "./public-site.js";

/** A name that is no loopback address to the page; the browser is told where it leads. */
const PUBLIC_NAME = "site.example";

const COMMON_FLAGS = [
  "--no-sandbox",
  "--disable-quic",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const LOOPBACK = { name: "loopback-network" };

/** What the browser's permission shall be. */
export type Permission = "granted" | "denied" | "prompt";

let counter: Counter;
let site: PublicSite;
let sitePort: number;

before(async () => {
  counter = await Counter.start();
  site = new PublicSite(counter);
  sitePort = await site.start();
});

after(async () => {
  await site.stop();
  await counter.stop();
});

/** What a test has at hand. */
export interface Stage {
  readonly counter: Counter;
  /** The origin of a site that nobody enrolled. */
  readonly publicOrigin: string;
  readonly context: BrowserContext;
  /** Everything that any page has written to its console. */
  readonly console: string[];
  /** Opens a page in a window of its own; `permission` is that of its origin. */
  open(address: string, permission?: Permission): Promise<Page>;
}

/** A test on the stage. */
export function onStage(name: string, play: (stage: Stage) => Promise<void>): void {
  test(name, { timeout: 60_000 }, async () => {
    const profile = mkdtempSync(join(tmpdir(), "madoguchi-browser-"));
    const publicOrigin = `http://${PUBLIC_NAME}:${sitePort}`;
    const counterPort = new URL(counter.addresses.counterPage).port;
    const context = await chromium.launchPersistentContext(profile, {
      executablePath: "/usr/bin/chromium",
      locale: "ja-JP",
      viewport: { width: 1440, height: 900 },
      args: [
        ...COMMON_FLAGS,
        `--ip-address-space-overrides=127.0.0.1:${counterPort}=public,127.0.0.1:${sitePort}=public`,
        `--host-resolver-rules=MAP ${PUBLIC_NAME} 127.0.0.1`,
        `--unsafely-treat-insecure-origin-as-secure=${publicOrigin}`,
      ],
    });
    context.setDefaultTimeout(10_000);
    const lines: string[] = [];
    const watch = (page: Page) => page.on("console", (message) => lines.push(message.text()));
    context.pages().forEach(watch);
    context.on("page", watch);
    // A setting lasts as long as the session that made it, and the end of any such session resets them all;
    // so one session makes them, on the page that stays open until the browser closes.
    const permissions = await context.newCDPSession(context.pages()[0] ?? (await context.newPage()));
    const open = async (address: string, permission: Permission = "granted") => {
      const page = await context.newPage();
      const { origin } = new URL(address);
      await permissions.send("Browser.setPermission", { origin, permission: LOOPBACK, setting: permission });
      await page.goto(address);
      return page;
    };
    try {
      await play({ counter, publicOrigin, context, console: lines, open });
    } finally {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
      await tidyUp();
    }
  });
}

/** A port on which nobody listens. */
export async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Leaves the counter as every test expects it: no card, no fault, no PIN screen. */
async function tidyUp(): Promise<void> {
  await counter.plan([]);
  await counter.lift();
  const { screens } = (await counter.call("GET", "/v1/pin-screens")) as { screens: { id: string }[] };
  for (const screen of screens) {
    await counter.call("DELETE", `/v1/pin-screens/${encodeURIComponent(screen.id)}`);
  }
}
