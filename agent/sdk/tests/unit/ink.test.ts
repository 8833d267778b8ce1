/** What the pen does on a page goes to the agent in bundles, in the order in which it happened. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { InkBatches, placeOn, sampleOf } from "../../src/ink.js";
import type { Act } from "../../src/wire.js";

test("a sample carries microseconds, hundredths of a pixel, and the whole range of pressure", () => {
  const event = { timeStamp: 1002.5, buttons: 1, pressure: 0.5, tiltX: -12, tiltY: 7 };
  assert.deepEqual(sampleOf(event, [10.25, 3], 1000), [2500, 1025, 300, 32_768, -1200, 700, 3]);
  assert.deepEqual(sampleOf({ ...event, buttons: 0, pressure: 0 }, [0, 0], 2000), [0, 0, 0, 0, -1200, 700, 2]);
});

test("samples are bundled for 50 ms, and an act is said behind the ink before it", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const said: Act[] = [];
  const batches = new InkBatches((act) => said.push(act) > 0);
  for (let moment = 0; moment < 1000; moment += 1) {
    batches.add([moment * 1000, 0, 0, 1, 0, 0, 3]);
    context.mock.timers.tick(1);
  }
  assert.equal(said.length, 20);
  batches.add([1_000_000, 0, 0, 0, 0, 0, 2]);
  batches.act({ kind: "confirm" });
  assert.deepEqual(said.map(({ kind }) => kind).slice(-2), ["ink", "confirm"]);
  const samples = said.flatMap((act) => (act.kind === "ink" ? act.samples : []));
  assert.equal(samples.length, 1001);
});

test("time never goes back within a batch", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const said: Act[] = [];
  const batches = new InkBatches((act) => said.push(act) > 0);
  batches.add([20, 0, 0, 1, 0, 0, 3]);
  batches.add([10, 5, 0, 1, 0, 0, 3]);
  context.mock.timers.tick(50);
  assert.deepEqual(said, [{ kind: "ink", samples: [[20, 0, 0, 1, 0, 0, 3], [20, 5, 0, 1, 0, 0, 3]] }]);
});

test("a pen that leaves the picture stays at its edge", () => {
  const box = { left: 100, top: 50, width: 400, height: 200 };
  const picture = { width: 800, height: 400 };
  assert.deepEqual(placeOn(picture, box, [300, 150]), [400, 200]);
  assert.deepEqual(placeOn(picture, box, [20, 900]), [0, 400]);
  assert.deepEqual(placeOn(picture, { ...box, width: 0, height: 0 }, [300, 150]), [0, 0]);
});
