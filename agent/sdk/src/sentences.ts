/**
 * What to say where no agent answered and so sent no sentence of its own.
 *
 * Each entry: what happened, what to do next, and whether doing the same again can help.
 */
import type { OwnKind } from "./errors.js";
import type { Bilingual, DeviceClass } from "./wire.js";

interface Sentences {
  readonly message: Bilingual;
  readonly next: Bilingual;
  readonly retry: "now" | "later" | "never";
}

const DEVICE_NAMES: Readonly<Record<DeviceClass, Bilingual>> = {
  cardReader: { ja: "カードリーダー", en: "card reader" },
  codeScanner: { ja: "バーコードスキャナー", en: "code scanner" },
  signatureTablet: { ja: "署名タブレット", en: "signature tablet" },
  ticketPrinter: { ja: "番号札プリンター", en: "ticket printer" },
  pagePrinter: { ja: "プリンター", en: "printer" },
  documentScanner: { ja: "書類スキャナー", en: "document scanner" },
  keyboard: { ja: "自動入力", en: "typing service" },
  handover: { ja: "連携フォルダー", en: "handover folder" },
};
const ANY_DEVICE: Bilingual = { ja: "機器", en: "device" };

/** The sentences for a kind; `{device}` stands for the device's name. */
export function ownSentences(kind: OwnKind, device: DeviceClass | undefined): Sentences {
  const name = device === undefined ? ANY_DEVICE : DEVICE_NAMES[device];
  const { message, next, retry } = OWN_SENTENCES[kind];
  const named = ({ ja, en }: Bilingual): Bilingual => ({
    ja: ja.replaceAll("{device}", name.ja),
    en: en.replaceAll("{device}", name.en),
  });
  return { message: named(message), next: named(next), retry };
}

const OWN_SENTENCES: Readonly<Record<OwnKind, Sentences>> = {
  agent_absent: {
    message: { ja: "この端末で端末エージェントが動いていません。", en: "No agent answers on this machine." },
    next: {
      ja: "端末を再起動し、直らない場合はシステム担当に連絡してください。",
      en: "Restart the machine; if that does not help, call operations.",
    },
    retry: "later",
  },
  permission_denied: {
    message: {
      ja: "ブラウザーが、このページから端末エージェントへの接続を禁止しています。",
      en: "The browser forbids this page to reach the agent on this machine.",
    },
    next: {
      ja: "アドレス欄の左の印から「このデバイス上のアプリ」への接続を許可し、ページを読み込み直してください。",
      en: "Allow access to apps on this device from the icon left of the address, then reload the page.",
    },
    retry: "never",
  },
  permission_prompt: {
    message: {
      ja: "端末エージェントへの接続が、まだ許可されていません。",
      en: "Access to the agent has not been allowed yet.",
    },
    next: {
      ja: "ブラウザーの確認で「許可」を選び、もう一度接続してください。",
      en: "Choose Allow in the browser's question and connect again.",
    },
    retry: "now",
  },
  origin_refused: {
    message: {
      ja: "このページには端末エージェントを使う許可がありません。",
      en: "This page is not allowed to use the agent.",
    },
    next: {
      ja: "システム担当に、このページの登録を依頼してください。",
      en: "Ask operations to enrol this page's origin.",
    },
    retry: "never",
  },
  version_mismatch: {
    message: {
      ja: "端末エージェントの版が、このページの版と合いません。",
      en: "The agent and this page speak different versions.",
    },
    next: {
      ja: "システム担当に、端末エージェントの更新を依頼してください。",
      en: "Ask operations to update the agent.",
    },
    retry: "never",
  },
  connection_lost: {
    message: { ja: "端末エージェントとの接続が切れました。", en: "The connection to the agent was lost." },
    next: {
      ja: "接続が戻るのを待って、もう一度行ってください。",
      en: "Wait until the connection is back, then try again.",
    },
    retry: "later",
  },
  closed: {
    message: { ja: "端末エージェントとの接続は閉じられています。", en: "This client has been closed." },
    next: { ja: "画面を更新してください。", en: "Reload the page." },
    retry: "never",
  },
  token_unavailable: {
    message: {
      ja: "窓口アプリから職員の認証情報を受け取れませんでした。",
      en: "The counter application did not supply a token.",
    },
    next: {
      ja: "窓口アプリにログインし直してください。",
      en: "Log in to the counter application again.",
    },
    retry: "later",
  },
  device_absent: {
    message: { ja: "{device}が見つかりません。", en: "There is no {device}." },
    next: {
      ja: "ケーブルと電源を確かめて、つなぎ直してください。",
      en: "Check its cable and power, and plug it in again.",
    },
    retry: "later",
  },
  device_denied: {
    message: {
      ja: "{device}を使う権限がありません。",
      en: "The operating system denies the agent access to the {device}.",
    },
    next: { ja: "システム担当に連絡してください。", en: "Call operations; the permissions must be corrected." },
    retry: "never",
  },
  device_busy: {
    message: {
      ja: "ほかの画面がこの{device}を使っています。",
      en: "Another page is using this {device}.",
    },
    next: {
      ja: "その画面の処理が終わってから、もう一度行ってください。",
      en: "Try again when the other page has finished.",
    },
    retry: "later",
  },
  cancelled: {
    message: { ja: "処理を中止しました。", en: "It was cancelled." },
    next: { ja: "必要ならもう一度始めてください。", en: "Start again if needed." },
    retry: "now",
  },
  timed_out: {
    message: { ja: "時間内に終わりませんでした。", en: "It did not finish in time." },
    next: { ja: "もう一度始めてください。", en: "Start again." },
    retry: "now",
  },
  lease_lost: {
    message: { ja: "{device}の占有が切れました。", en: "The lease of the {device} has ended." },
    next: { ja: "もう一度始めてください。", en: "Start again." },
    retry: "now",
  },
  handler_failed: {
    message: {
      ja: "窓口アプリが、受け取ったデータを処理できませんでした。",
      en: "The application could not take over what it received.",
    },
    next: {
      ja: "もう一度始め、続く場合は窓口アプリの担当に連絡してください。",
      en: "Start again; if it repeats, call the application's support.",
    },
    retry: "now",
  },
  agent_failed: {
    message: {
      ja: "端末エージェントから、理解できない応答がありました。",
      en: "The agent's answer could not be understood.",
    },
    next: {
      ja: "もう一度行い、続く場合はシステム担当に連絡してください。",
      en: "Try again; if it repeats, call operations.",
    },
    retry: "now",
  },
};
