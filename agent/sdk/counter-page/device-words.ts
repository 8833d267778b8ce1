/**
 * The states of the other devices and the codes that come without sentences, in one Japanese sentence each.
 *
 * A refused or failed job brings the agent's own sentences; these are for `health` and for a scan's fault.
 */
import type { Device } from "@madoguchi/agent";

const SENTENCES: Readonly<Record<string, string>> = {
  "DEV-GONE": "機器が外れています。ケーブルと電源を確かめてください。",
  "DEV-BUSY": "ほかのソフトが使っています。そのソフトを閉じてください。",
  "DEV-DENIED": "使う権限がありません。システム担当に連絡してください。",
  "DEV-HUNG": "応答しません。電源を入れ直してください。",
  "DEV-FAILED": "機器で誤りが起きています。続く場合はシステム担当に連絡してください。",
  "PRN-PAPER-OUT": "用紙がありません。補充してください。",
  "PRN-PAPER-LOW": "用紙が残りわずかです。次のロールを用意してください。",
  "PRN-COVER-OPEN": "カバーが開いています。閉じてください。",
  "PRN-CUTTER": "カッターが止まっています。カバーを開けて紙を取り除いてください。",
  "PRN-HOT": "熱くなっています。少し待ってください。",
  "PRN-OFFLINE": "準備ができていません。本体の表示を見てください。",
  "PRN-WORN": "部品の交換時期が近づいています。システム担当に伝えてください。",
  "PRN-UNKNOWN": "紙が出たか分からない番号札があります。確かめて答えてください。",
  "DOC-NO-PAPER": "用紙がセットされていません。",
  "DOC-JAM": "用紙が詰まっています。取り除いてください。",
  "DOC-COVER-OPEN": "カバーが開いています。閉じてください。",
  "SIG-NO-SCREEN": "利用者の画面がつながっていません。",
  "HND-FOLDER": "連携フォルダーに書き込めません。システム担当に連絡してください。",
  "KEY-UNAVAILABLE": "この端末では自動入力できません。システム担当に連絡してください。",
  "SCN-GARBLED": "コードを正しく受け取れませんでした。もう一度読ませてください。",
  "SCN-TOO-LONG": "コードが長すぎます。読ませたコードを確かめてください。",
  "SCN-INCOMPLETE": "分割されたコードの一部しか読めていません。すべてを続けて読ませてください。",
  "SCN-UNTRUSTED": "この市の事前申請ではないか、書き換えられています。窓口で申請を受け付けてください。",
  "SCN-EXPIRED": "事前申請の期限が切れています。窓口で申請を受け付けてください。",
  "SCN-REPLAYED": "受け付け済みの事前申請です。前の受付を確かめてください。",
};

/** One sentence for a code; of one that is not known here, the code itself. */
export function sentenceFor(code: string): string {
  return SENTENCES[code] ?? `確かめてください（コード ${code}）。`;
}

/** What a device's line says. */
export interface DeviceWords {
  readonly state: string;
  readonly tone: "ok" | "warn" | "bad";
  /** What a person should know or do; absent where all is well. */
  readonly note: string | undefined;
}

/** Describes a device. */
export function describeDevice({ state, health }: Pick<Device, "state" | "health">): DeviceWords {
  if (!health.usable) {
    const note = health.code === undefined ? "いまは使えません。" : sentenceFor(health.code);
    return { state: state === "absent" ? "外れています" : "使えません", tone: "bad", note };
  }
  const [warning] = health.warnings ?? [];
  if (warning !== undefined) {
    return { state: "使えます", tone: "warn", note: sentenceFor(warning) };
  }
  return { state: "使えます", tone: "ok", note: undefined };
}
