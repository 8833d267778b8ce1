/** The command line of the browser tests. */
import { parseArgs } from "node:util";

/**
 * `--counter JSON`: the addresses of a counter that already runs.
 * `--pictures FOLDER`: where a picture of every state goes.
 */
export const { values: given } = parseArgs({
  options: { counter: { type: "string" }, pictures: { type: "string" } },
});
