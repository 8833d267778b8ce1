/** What the verdict about a card means for the clerk, in words. */
import type { Authenticity, Verdict } from "@madoguchi/agent";

interface VerdictText {
  readonly title: string;
  readonly text: string;
  readonly tone: "ok" | "warn" | "bad";
}

const TEXTS: Readonly<Record<Verdict, VerdictText>> = {
  genuine: {
    title: "本物と確認しました",
    text: "請求書に転記しました。カードを利用者に返し、内容を確かめてもらってください。",
    tone: "ok",
  },
  notVerified: {
    title: "本物か確認できません",
    text: "請求書に転記しましたが、券面の写真と記載を目で確かめ、ほかの本人確認書類も見せてもらってください。",
    tone: "warn",
  },
  forged: {
    title: "偽造の疑いがあります",
    text: "請求書には転記していません。受付を進めず、責任者を呼んでください。",
    tone: "bad",
  },
};

/** The words for a verdict; `reason` is the agent's stable word, for a report. */
export function describeVerdict(authenticity: Authenticity): VerdictText & { readonly reason: string } {
  const reason = authenticity.reason ? `判定の理由 ${authenticity.reason}` : "";
  return { ...TEXTS[authenticity.verdict], reason };
}
