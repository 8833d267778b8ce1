/**
 * What a running job means for the clerk: which step it is at, and what the citizen must do now.
 *
 * Pure, so that each state can be tested without a browser.
 */
import type { Job, Question } from "@madoguchi/agent";

/** The steps as the clerk sees them, in order. */
export const STEPS = [
  "カードを置く",
  "カードの種類と期限を確かめる",
  "暗証番号を入力する",
  "カードの内容を読み取る",
  "本物のカードか確かめる",
] as const;

/** What to show of a job. */
export interface Progress {
  /** The index of the present step of `STEPS`; all of them are done where it is their number. */
  readonly now: number;
  /** What to do or to tell the citizen. */
  readonly instruction: string;
  /** How many tries are left, while the PIN is asked for. */
  readonly triesLeft: number | undefined;
  /** Whether staff must decide about the last try. */
  readonly lastTry: boolean;
}

/** Reads a job. */
export function describeJob(job: Job): Progress {
  if (job.question !== undefined) {
    const { triesLeft, lastTryAllowed } = job.question;
    const undecided = triesLeft === 1 && !lastTryAllowed;
    return { now: 2, instruction: askInstruction(undecided, job.question), triesLeft, lastTry: undecided };
  }
  const plain = (now: number, instruction: string): Progress => ({
    now,
    instruction,
    triesLeft: undefined,
    lastTry: false,
  });
  if (job.state === "succeeded") {
    return plain(STEPS.length, "読み取りが終わりました。カードを利用者に返してください。");
  }
  switch (job.step) {
    case "identifying":
      return plain(1, "カードを確かめています。カードを動かさないよう伝えてください。");
    case "reading":
      return plain(3, "読み取っています。カードを動かさないよう伝えてください。");
    case "verifying":
      return plain(4, "本物か確かめています。カードを動かさないよう伝えてください。");
    case "waitingForCard":
      return plain(0, "カードをリーダーに置いてもらってください。");
    default:
      return plain(0, "読み取りの準備をしています。");
  }
}

function askInstruction(undecided: boolean, { ask, kind }: Question): string {
  if (undecided) {
    return "最後の1回を使うかどうかを決めてください。";
  }
  if (ask > 1) {
    // Why it is asked again is the driver's to say; the number of tries tells whether one was spent.
    return "もう一度入力が必要です。残り回数を伝え、入力してもらってください。";
  }
  const place = kind === "pinOnDevice" ? "リーダーのキー" : "利用者の画面";
  return `${place}で、数字4桁の暗証番号を入力してもらってください。`;
}
