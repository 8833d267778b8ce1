/**
 * The citizen's screen: shows what is asked, takes four digits, hands them to the agent, forgets them; and
 * shows documents that are signed by hand, which is the work of `sign.js`.
 *
 * ```text
 * starting -> pairing -> idle <-> ask -> checking -> idle | ask
 *                         idle <-> sign
 *          -> refused                        any -> lost -> starting
 * ```
 * A public page can open a window on a loopback address. So this page does nothing at all where it is
 * framed or was opened by another page, offers no handle, sends nothing anywhere but to its own origin,
 * and keeps nothing but the key of the pairing. The digits live in one array, which is overwritten when
 * they are sent, deleted, left alone for a while, or when the question closes.
 */

import * as sign from "./sign.js";

const TEXTS = {
  ja: {
    title: "暗証番号の入力",
    name: "暗証番号の入力画面",
    language: "English",
    languageLabel: "Switch to English",
    counter: (counter) => `窓口 ${counter}`,
    starting: "準備しています",
    refusedTitle: "この開き方では使えません",
    refusedText: "ほかのページから開かれたため、停止しました。この画面を閉じ、職員にお知らせください。",
    lostTitle: "接続を確かめています",
    lostText: "このままお待ちください。",
    pairingTitle: "窓口とつなぐ番号",
    pairingText: "職員が窓口の画面に、この番号を入力します。",
    pairingNote: "つながるまで、この画面を開いたままにしてください。",
    idleTitle: "職員の案内をお待ちください",
    idleText: "入力や署名が必要になると、この画面に案内が出ます。",
    askTitle: "数字4桁の暗証番号を入力してください",
    askText: "マイナンバーカードを受け取るときに決めた、数字4桁の暗証番号です。",
    wordLabel: "合言葉",
    wordNote: "職員の画面と同じ言葉です。違うときは入力せず、職員にお知らせください。",
    tries: (count) => ["入力できるのは、あと", `${count}`, "回です"],
    lastTry: "あと1回です。間違えるとロックされ、再設定の手続きが必要になります。自信がないときは「やめる」を押してください。",
    keysLabel: "数字のキー",
    dots: (count) => `4桁のうち${count}桁を入力しました`,
    erase: "1字消す",
    clear: "全部消す",
    decline: "やめる",
    confirm: "確定する",
    checkingTitle: "確かめています",
    wrongAgain: "暗証番号が違いました。もう一度入力してください。",
    again: "もう一度入力してください。",
    idledAway: "しばらく操作がなかったため、入力を消しました。",
    outcomes: {
      entered: "受け付けました。ありがとうございました。",
      cancelled: "入力は中止されました。",
      wrong: "暗証番号が違いました。",
    },
    signTitle: "手書きの署名",
    signHint: "この枠の中に、手書きで署名してください",
    signConfirm: "確定",
    signRedo: "やり直す",
    signDecline: "署名しない",
    signNext: "次へ",
    signPrevious: "前へ",
    signPages: (page, pages) => `${pages}ページのうち${page}ページ`,
    signPicture: (page, pages) => `署名する書類。${pages}ページのうち${page}ページ`,
    signAnnounce: (word, page, pages, area) =>
      `書類の${pages}ページのうち${page}ページです。合言葉は ${word}。${area ? "枠の中に手書きで署名してください。" : ""}`,
    signOutcomes: {
      entered: "手書きの署名を受け付けました。ありがとうございました。",
      cancelled: "署名は中止されました。",
    },
    crossTitle: "ペンの位置合わせ",
    crossHint: "十字の中心を、ペンで押してください",
    crossOutcomes: {
      entered: "ペンの位置合わせが終わりました。",
      cancelled: "ペンの位置合わせは中止されました。",
    },
    announce: (word, tries) => `数字4桁の暗証番号を入力してください。合言葉は ${word}。残り${tries}回です。`,
  },
  en: {
    title: "PIN entry",
    name: "PIN entry screen",
    language: "日本語",
    languageLabel: "日本語に切り替える",
    counter: (counter) => `Counter ${counter}`,
    starting: "Getting ready",
    refusedTitle: "This screen cannot be used this way",
    refusedText: "It was opened by another page, so it has stopped. Please close it and tell the staff.",
    lostTitle: "Checking the connection",
    lostText: "Please wait.",
    pairingTitle: "Number to connect this screen",
    pairingText: "The staff member enters this number at the counter.",
    pairingNote: "Keep this screen open until it is connected.",
    idleTitle: "Please wait for the staff",
    idleText: "This screen tells you when your PIN or your signature is needed.",
    askTitle: "Please enter your 4-digit PIN",
    askText: "It is the four digits that you chose when you received your My Number card.",
    wordLabel: "Check word",
    wordNote: "The staff member's screen shows the same word. If it differs, do not enter anything and tell the staff.",
    tries: (count) => ["Tries left:", `${count}`, ""],
    lastTry: "This is the last try. A mistake locks the PIN and you will need to reset it. If you are not sure, press Stop.",
    keysLabel: "Number keys",
    dots: (count) => `${count} of 4 digits entered`,
    erase: "Delete one",
    clear: "Delete all",
    decline: "Stop",
    confirm: "Confirm",
    checkingTitle: "Checking",
    wrongAgain: "That PIN was wrong. Please enter it again.",
    again: "Please enter it again.",
    idledAway: "The entry was erased because nothing was pressed for a while.",
    outcomes: {
      entered: "Received. Thank you.",
      cancelled: "The entry was cancelled.",
      wrong: "That PIN was wrong.",
    },
    signTitle: "Handwritten signature",
    signHint: "Please sign by hand inside this frame",
    signConfirm: "Confirm",
    signRedo: "Start over",
    signDecline: "Do not sign",
    signNext: "Next",
    signPrevious: "Back",
    signPages: (page, pages) => `Page ${page} of ${pages}`,
    signPicture: (page, pages) => `The document to be signed, page ${page} of ${pages}`,
    signAnnounce: (word, page, pages, area) =>
      `Page ${page} of ${pages} of the document. The check word is ${word}. ${area ? "Please sign by hand inside the frame." : ""}`,
    signOutcomes: {
      entered: "Your handwritten signature was received. Thank you.",
      cancelled: "Signing was cancelled.",
    },
    crossTitle: "Pen alignment",
    crossHint: "Please touch the middle of the cross with the pen",
    crossOutcomes: {
      entered: "The pen is aligned.",
      cancelled: "The alignment of the pen was cancelled.",
    },
    announce: (word, tries) => `Please enter your 4-digit PIN. The check word is ${word}. Tries left: ${tries}.`,
  },
};

const PIN_DIGITS = 4;
/** Digits that were left standing for so long belong to somebody who walked away. */
const FORGET_AFTER_MS = 30_000;
/** How long the outcome of the last question is shown. */
const OUTCOME_MS = 15_000;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;
const KEY_NAME = "madoguchi.pin-screen.key";

const SHEETS = ["starting", "refused", "lost", "pairing", "idle", "ask", "sign"];

const byId = (id) => document.getElementById(id);

let language = "ja";
let socket;
let attempt = 0;
/** The open question as the agent sent it, or undefined. */
let question;
/** The question before it on the same connection, or undefined. */
let asked;
/** The digits typed so far. */
const entry = [];
let counter;
let outcome;
/** Of what the outcome is, other than of a PIN: the name of its words. */
let outcomesOf;
let forgetTimer;
let outcomeTimer;

// ---- What is shown

function text() {
  return TEXTS[language];
}

function show(sheet) {
  for (const id of SHEETS) {
    byId(id).hidden = id !== sheet;
  }
}

/** Writes every text again, in the present language. */
function write() {
  const words = text();
  document.documentElement.lang = language;
  document.title = sign.title(words) ?? words.title;
  for (const element of document.querySelectorAll("[data-text]")) {
    element.textContent = words[element.dataset.text];
  }
  const switcher = byId("language");
  switcher.textContent = words.language;
  switcher.lang = language === "ja" ? "en" : "ja";
  switcher.setAttribute("aria-label", words.languageLabel);
  byId("keys").setAttribute("aria-label", words.keysLabel);
  byId("counter").hidden = counter === undefined;
  byId("counter").textContent = counter === undefined ? "" : words.counter(counter);
  byId("outcome").hidden = outcome === undefined;
  byId("outcome").textContent = outcomeText();
  byId("outcome").classList.toggle("warn", outcome !== "entered");
  sign.write(words);
  if (question !== undefined) {
    writeQuestion();
  }
}

function outcomeText() {
  if (outcome === undefined) {
    return "";
  }
  const words = text();
  return (outcomesOf === undefined ? undefined : words[outcomesOf][outcome]) ?? words.outcomes[outcome];
}

function writeQuestion() {
  const words = text();
  byId("word").textContent = question.word;
  const [before, count, after] = words.tries(question.triesLeft);
  const strong = document.createElement("strong");
  strong.textContent = ` ${count} `;
  byId("tries").replaceChildren(before, strong, after);
  byId("tries").hidden = question.lastTry;
  byId("tries").classList.toggle("warn", question.triesLeft === 1);
  byId("last-try").hidden = !question.lastTry;
  writeKeys();
  writeDots();
}

/** Lays out the keys in the agent's order; the tenth stands at the bottom between the two erasers. */
function writeKeys() {
  const words = text();
  const digits = question.keys.map((digit) => key(`${digit}`, () => type(digit)));
  const clear = key(words.clear, () => erase(PIN_DIGITS));
  const back = key(words.erase, () => erase(1));
  clear.classList.add("tool");
  back.classList.add("tool");
  byId("keys").replaceChildren(...digits.slice(0, 9), clear, ...digits.slice(9), back);
}

function key(label, press) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "key";
  button.textContent = label;
  button.addEventListener("click", press);
  return button;
}

/** Shows how many digits were typed, never which; screen readers hear it on request only. */
function writeDots() {
  [...byId("dots").children].forEach((dot, index) => dot.classList.toggle("filled", index < entry.length));
  byId("dots").setAttribute("aria-label", text().dots(entry.length));
  byId("confirm").disabled = entry.length !== PIN_DIGITS;
}

// ---- The entry

function type(digit) {
  if (question === undefined || entry.length >= PIN_DIGITS) {
    return;
  }
  entry.push(digit);
  byId("notice").textContent = "";
  writeDots();
  forgetLater();
}

function erase(count) {
  for (let index = 0; index < count && entry.length > 0; index += 1) {
    entry[entry.length - 1] = 0;
    entry.pop();
  }
  writeDots();
  forgetLater();
}

function forget() {
  clearTimeout(forgetTimer);
  entry.fill(0);
  entry.length = 0;
  writeDots();
}

function forgetLater() {
  clearTimeout(forgetTimer);
  if (entry.length > 0) {
    forgetTimer = setTimeout(() => {
      forget();
      byId("notice").textContent = text().idledAway;
    }, FORGET_AFTER_MS);
  }
}

function confirm() {
  if (question === undefined || entry.length !== PIN_DIGITS) {
    return;
  }
  say({ type: "secret", job: question.job, ask: question.ask, value: entry.join("") });
  answered();
}

function decline() {
  if (question !== undefined) {
    say({ type: "decline", job: question.job, ask: question.ask });
    answered();
  }
}

/** The question is answered: nothing of it stays, and a second press finds nothing to send. */
function answered() {
  question = undefined;
  forget();
  byId("keys").replaceChildren();
  byId("starting-title").textContent = text().checkingTitle;
  show("starting");
}

// ---- The agent

function say(message) {
  if (socket?.readyState === WebSocket.OPEN) {
    socket.send(JSON.stringify(message));
  }
}

function connect() {
  socket = new WebSocket(`ws://${location.host}/pin/events`);
  socket.onopen = () => {
    const kept = localStorage.getItem(KEY_NAME);
    say(kept === null ? { type: "register" } : { type: "register", key: kept });
  };
  socket.onmessage = (message) => {
    attempt = 0;
    hear(JSON.parse(message.data));
  };
  socket.onclose = () => {
    question = undefined;
    asked = undefined;
    forget();
    sign.close();
    byId("keys").replaceChildren();
    show("lost");
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(attempt, 10));
    attempt += 1;
    setTimeout(connect, pause / 2 + (pause / 2) * Math.random());
  };
}

function hear(instruction) {
  switch (instruction.type) {
    case "pairing":
      localStorage.removeItem(KEY_NAME);
      counter = undefined;
      byId("code").textContent = instruction.code;
      write();
      show("pairing");
      return;
    case "paired":
      if (instruction.key !== undefined) {
        localStorage.setItem(KEY_NAME, instruction.key);
      }
      counter = instruction.counter;
      byId("code").textContent = "";
      rest(undefined);
      return;
    case "idle":
      rest(instruction.last);
      return;
    case "ask":
      ask(instruction);
      return;
    case "show":
      showDocument(instruction);
      return;
    case "ink":
      sign.ink(instruction);
      return;
    default:
    // A newer agent may say more; what this page does not know does not concern it.
  }
}

function rest(last) {
  outcomesOf = undefined;
  if (sign.isOpen()) {
    outcomesOf = sign.isCross() ? "crossOutcomes" : "signOutcomes";
  }
  sign.close();
  question = undefined;
  forget();
  byId("keys").replaceChildren();
  byId("announcer").textContent = "";
  clearTimeout(outcomeTimer);
  outcome = last in text().outcomes ? last : undefined;
  outcomeTimer = setTimeout(() => {
    outcome = undefined;
    write();
  }, OUTCOME_MS);
  write();
  byId("announcer").textContent = outcomeText();
  show("idle");
}

async function showDocument(instruction) {
  question = undefined;
  forget();
  byId("keys").replaceChildren();
  let opened = false;
  try {
    opened = await sign.open(instruction);
  } catch {
    // A picture that cannot be shown is not said to be shown; the job then ends by itself.
    sign.close();
  }
  if (!opened) {
    return;
  }
  outcome = undefined;
  const before = document.activeElement;
  write();
  show("sign");
  sign.place();
  // The focus stays on a button that is still there, such as 次へ on the way through the pages.
  if (before?.closest("#sign") === null || before.hidden || before.disabled) {
    byId("sign-title").focus();
  }
  byId("announcer").textContent = sign.announcement(text());
  sign.tellShown();
}

/** Only a try that was spent since the last question shows that the answer to it was wrong. */
function noticeOf(before, now) {
  if (now.ask === 1) {
    return "";
  }
  const spent = before?.job === now.job && now.triesLeft < before.triesLeft;
  return spent ? text().wrongAgain : text().again;
}

function ask(instruction) {
  sign.close();
  forget();
  question = instruction;
  outcome = undefined;
  write();
  byId("notice").textContent = noticeOf(asked, instruction);
  asked = instruction;
  show("ask");
  byId("ask-title").focus();
  byId("announcer").textContent = text().announce(instruction.word, instruction.triesLeft);
}

// ---- The start

/** Whether this is a window of its own that nobody else opened. */
function standsAlone() {
  const foreign = document.referrer !== "" && new URL(document.referrer).origin !== location.origin;
  return window.top === window.self && window.opener === null && !foreign;
}

/** A keyboard types digits wherever the focus is; Enter on a button presses that button only. */
function onKeyDown(event) {
  if (question === undefined || event.ctrlKey || event.altKey || event.metaKey) {
    return;
  }
  const digit = /^[0-9]$/.test(event.key) ? event.key : /^(?:Digit|Numpad)([0-9])$/.exec(event.code)?.[1];
  if (digit !== undefined && !event.shiftKey) {
    event.preventDefault();
    type(Number(digit));
  } else if (event.key === "Backspace") {
    event.preventDefault();
    erase(1);
  } else if (event.key === "Enter" && !(event.target instanceof HTMLButtonElement)) {
    confirm();
  }
}

function start() {
  write();
  if (!standsAlone()) {
    show("refused");
    return;
  }
  for (const id of ["language", "sign-language"]) {
    byId(id).addEventListener("click", () => {
      language = language === "ja" ? "en" : "ja";
      write();
    });
  }
  sign.begin((job, act) => say({ type: "act", job, act }));
  byId("confirm").addEventListener("click", confirm);
  byId("decline").addEventListener("click", decline);
  document.addEventListener("keydown", onKeyDown);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      forget();
    }
  });
  connect();
}

start();
