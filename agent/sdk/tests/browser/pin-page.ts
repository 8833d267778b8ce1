/** The citizen's screen answers its own counter and nobody else. */
import assert from "node:assert/strict";
import type { WebSocketRoute } from "playwright-core";
import { assertAccessible, enterPin, openCounter, pairScreen, shownText, startReading } from "../support/pages.js";
import { onStage, type Stage } from "../support/stage.js";

async function screens(stage: Stage): Promise<{ connected: boolean }[]> {
  const list = (await stage.counter.call("GET", "/v1/pin-screens")) as { screens: { connected: boolean }[] };
  return list.screens;
}

onStage("a screen is paired by its code and stays paired when it is opened again", async (stage) => {
  const page = await openCounter(stage);
  const fresh = await stage.open(`${stage.counter.addresses.pinPage}/`);
  await fresh.locator("#pairing").waitFor();
  await assertAccessible(fresh, "pin-pairing");
  await fresh.close();
  const screen = await pairScreen(stage, page);
  await assertAccessible(screen, "pin-idle");
  await screen.reload();
  await screen.locator("#idle").waitFor();
  await page.locator("#screen-state.ok").waitFor();
});

onStage("a wrong code pairs nothing and says so", async (stage) => {
  const page = await openCounter(stage);
  const screen = await stage.open(`${stage.counter.addresses.pinPage}/`);
  const code = await shownText(screen, "#code");
  await page.locator("#pairing-code").fill(`${(Number(code) + 1) % 1_000_000}`.padStart(6, "0"));
  await page.getByRole("button", { name: "つなぐ", exact: true }).click();
  await page.locator("#pairing-error:not(:empty)").waitFor();
  await assertAccessible(page, "counter-wrong-code");
  assert.deepEqual(await screens(stage), []);
});

onStage("the entry shows dots, can be deleted, and is forgotten when it is sent", async (stage) => {
  await stage.counter.insert("hanako");
  const page = await openCounter(stage);
  const screen = await pairScreen(stage, page);
  await startReading(page, screen);
  await assertAccessible(screen, "pin-ask");
  const confirm = screen.getByRole("button", { name: "確定する" });
  await screen.keyboard.type("123");
  assert.equal(await screen.locator(".dot.filled").count(), 3);
  assert.ok(await confirm.isDisabled());
  await screen.keyboard.press("Backspace");
  assert.equal(await screen.locator(".dot.filled").count(), 2);
  await screen.getByRole("button", { name: "全部消す" }).click();
  assert.equal(await screen.locator(".dot.filled").count(), 0);
  const spoken = await screen.locator("[role=status]").allTextContents();
  assert.ok(!spoken.join().includes("123"), "digits are never spoken");
  await enterPin(screen, "1234");
  await page.locator("#verdict").waitFor();
  await screen.locator("#idle").waitFor();
  assert.equal(await screen.locator("#keys button").count(), 0);
  assert.ok(!(await screen.content()).includes("1234"));
  assert.ok(!(await screen.evaluate(() => JSON.stringify({ ...localStorage }))).includes("1234"));
});

onStage("only a try that was spent is called a wrong PIN", async (stage) => {
  let agent: WebSocketRoute | undefined;
  await stage.context.routeWebSocket(/\/pin\/events$/, (socket) => {
    agent = socket;
    socket.onMessage(() => socket.send(JSON.stringify({ type: "paired", counter: "1" })));
  });
  const screen = await stage.open(`${stage.counter.addresses.pinPage}/`);
  const noticeAfter = async (ask: number, triesLeft: number) => {
    const keys = [1, 2, 3, 4, 5, 6, 7, 8, 9, 0];
    const question = { type: "ask", job: "job-1", ask, word: "さくら", triesLeft, lastTry: false, keys };
    await screen.locator("#announcer").evaluate((element) => (element.textContent = ""));
    agent?.send(JSON.stringify(question));
    await screen.locator("#announcer", { hasText: `残り${triesLeft}回` }).waitFor({ state: "attached" });
    return screen.locator("#notice").textContent();
  };
  await screen.locator("#idle").waitFor();
  assert.equal(await noticeAfter(1, 3), "");
  assert.match((await noticeAfter(2, 2)) ?? "", /違いました/);
  assert.equal(await noticeAfter(3, 2), "もう一度入力してください。");
});

onStage("a cross is shown bare, and its end is not called a signature", async (stage) => {
  const picture = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=";
  let agent: WebSocketRoute | undefined;
  const acts: string[] = [];
  await stage.context.routeWebSocket(/\/pin\/events$/, (socket) => {
    agent = socket;
    socket.onMessage((text) => {
      const said = JSON.parse(String(text)) as { type: string; act?: { kind: string } };
      if (said.type === "act") {
        acts.push(said.act?.kind ?? "");
        socket.send(JSON.stringify({ type: "idle", last: "entered" }));
      } else {
        socket.send(JSON.stringify({ type: "paired", counter: "1" }));
      }
    });
  });
  const screen = await stage.open(`${stage.counter.addresses.pinPage}/`);
  await screen.locator("#idle").waitFor();
  const seen = await screen.evaluateHandle(() => {
    const lines: string[] = [];
    const sheet = document.getElementById("sign");
    const look = () => {
      if (sheet !== null && !sheet.hidden) {
        const shown = [...sheet.querySelectorAll("button, .sign-hint, .sign-facts")].filter((one) => one.checkVisibility());
        lines.push(shown.map((one) => one.textContent).join("|"));
      }
    };
    new MutationObserver(look).observe(document.body, { attributes: true, subtree: true });
    return lines;
  });
  agent?.send(JSON.stringify({ type: "show", job: "job-1", word: "さくら", page: { page: 1, pages: 1, picture } }));
  await screen.getByText("ペンの位置合わせが終わりました。").first().waitFor();
  assert.deepEqual(acts, ["shown"]);
  const lines = await seen.jsonValue();
  assert.equal(lines.at(-1), "十字の中心を、ペンで押してください");
});

onStage("the screen speaks English on request", async (stage) => {
  await stage.counter.insert("hanako");
  const page = await openCounter(stage);
  const screen = await pairScreen(stage, page);
  await startReading(page, screen);
  await screen.getByRole("button", { name: "Switch to English" }).click();
  assert.equal(await shownText(screen, "#ask-title"), "Please enter your 4-digit PIN");
  assert.equal(await screen.locator("html").getAttribute("lang"), "en");
  await assertAccessible(screen, "pin-ask-english");
  await screen.getByRole("button", { name: "Stop" }).click();
  await page.locator("#problem").waitFor();
});

onStage("shuffled keys carry all digits in another order on request", async (stage) => {
  await stage.counter.insert("hanako");
  const page = await openCounter(stage);
  const screen = await pairScreen(stage, page);
  await page.getByLabel("数字の並びを入れ替える").check();
  await startReading(page, screen);
  const digits = (await screen.locator(".key:not(.tool)").allTextContents()).join("");
  assert.equal([...digits].sort().join(""), "0123456789");
  await assertAccessible(screen, "pin-ask-shuffled");
  await enterPin(screen, "1234");
  await page.locator("#verdict.ok").waitFor();
});

onStage("a public page that opens the PIN page in a popup gets nothing", async (stage) => {
  const page = await openCounter(stage);
  const screen = await pairScreen(stage, page);
  const hostile = await stage.open(`${stage.publicOrigin}/blank`);
  const popup = stage.context.waitForEvent("page");
  await hostile.evaluate((address) => {
    const opened = window.open(address);
    Object.assign(window, { opened });
  }, `${stage.counter.addresses.pinPage}/`);
  const shown = await popup;
  await shown.waitForLoadState();
  assert.equal(await shown.locator("#ask, #pairing, #idle").filter({ visible: true }).count(), 0);
  const reached = await hostile.evaluate(() => {
    const { opened } = window as unknown as { opened: Window | null };
    try {
      return opened?.document.body.textContent ?? "";
    } catch {
      return "";
    }
  });
  assert.equal(reached.includes("暗証番号"), false, "the opener reads the PIN page");
  assert.equal((await screens(stage)).length, 1);
  await screen.locator("#idle").waitFor();
});

onStage("a public page that frames the PIN page gets nothing", async (stage) => {
  const page = await openCounter(stage);
  await pairScreen(stage, page);
  const hostile = await stage.open(`${stage.publicOrigin}/blank`);
  await hostile.evaluate((address) => {
    return new Promise((resolve) => {
      const frame = document.createElement("iframe");
      frame.allow = "loopback-network";
      frame.onload = resolve;
      frame.src = address;
      document.body.append(frame);
    });
  }, `${stage.counter.addresses.pinPage}/`);
  for (const frame of hostile.frames()) {
    assert.equal(await frame.locator("#ask, #pairing, #idle").filter({ visible: true }).count(), 0);
  }
  assert.equal((await screens(stage)).length, 1);
});
