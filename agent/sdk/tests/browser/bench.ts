/** The bench page, from which a person moves the simulated cards, is as accessible as the others. */
import { assertAccessible } from "../support/pages.js";
import { onStage } from "../support/stage.js";

onStage("the bench page is accessible, with and without a card", async (stage) => {
  const page = await stage.open(`${stage.counter.addresses.control}/bench`);
  await page.waitForLoadState("load");
  await assertAccessible(page, "bench");
  await stage.counter.insert("hanako");
  await page.reload();
  await assertAccessible(page, "bench-card");
});
