/** What the counter page says about dates, characters and jobs. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eraDate, plainDate, prefecture } from "../../counter-page/japan.js";
import { describeNotices } from "../../counter-page/notices.js";
import { describeJob } from "../../counter-page/progress.js";
import type { Job } from "../../src/wire.js";

const JOB: Job = { id: "j", word: "w", device: "d", state: "running", resultWaiting: false };

test("a birth date is shown in its era, a text that is none is not", () => {
  assert.equal(eraDate("1980-01-31"), "昭和55年1月31日");
  assert.equal(eraDate("2019-05-01"), "令和元年5月1日");
  for (const text of ["", "1980-00-00", "1980-02-31", "昭和55年", "1980-1-31"]) {
    assert.equal(eraDate(text), undefined, text);
  }
});

test("a text that is no date stays as it is", () => {
  assert.equal(plainDate("2030-05-01"), "2030年5月1日");
  assert.equal(plainDate("不明"), "不明");
});

test("a municipality's code tells its prefecture", () => {
  assert.equal(prefecture("01100"), "北海道");
  assert.equal(prefecture("13101"), "東京都");
  assert.equal(prefecture("47201"), "沖縄県");
  assert.equal(prefecture("99999"), undefined);
});

test("a notable character is shown whole, with its variation selector", () => {
  const [notice] = describeNotices("葛\u{E0100}飾", [{ field: "name", position: 0, kind: "variationSequence" }]);
  assert.equal(notice?.glyph, "葛\u{E0100}");
});

test("positions count characters outside the basic plane once", () => {
  const [notice] = describeNotices("𠮷田\u{20BB7}", [{ field: "name", position: 2, kind: "outsideJisX0213" }]);
  assert.equal(notice?.glyph, "\u{20BB7}");
  assert.match(notice?.text ?? "", /^3文字目/);
});

test("the last try waits for a decision until it is allowed", () => {
  const question = { ask: 1, kind: "pinOnScreen", triesLeft: 1, lastTryAllowed: false } as const;
  assert.equal(describeJob({ ...JOB, question }).lastTry, true);
  assert.equal(describeJob({ ...JOB, question: { ...question, lastTryAllowed: true } }).lastTry, false);
});

test("a PIN that is typed on the reader is asked for there", () => {
  const question = { ask: 1, kind: "pinOnDevice", triesLeft: 3, lastTryAllowed: false } as const;
  const progress = describeJob({ ...JOB, question });
  assert.match(progress.instruction, /リーダーのキー/);
  assert.equal(progress.triesLeft, 3);
});

test("a second question asks again without saying that the first answer was wrong", () => {
  const question = { ask: 2, kind: "pinOnScreen", triesLeft: 2, lastTryAllowed: false } as const;
  const { instruction } = describeJob({ ...JOB, question });
  assert.match(instruction, /もう一度/);
  assert.doesNotMatch(instruction, /違いました/);
});
