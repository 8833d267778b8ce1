/**
 * Builds everything and runs the browser tests; arguments are handed on to them
 * (`tests/support/arguments.ts`).
 */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const packageFolder = join(dirname(fileURLToPath(import.meta.url)), "..");

if (!existsSync("/usr/bin/chromium")) {
  console.error("Chromium is missing: apt-get install --yes chromium");
  process.exit(1);
}
try {
  execFileSync(process.execPath, ["scripts/build.mjs"], { cwd: packageFolder, stdio: "inherit" });
  const run = ["dist/tests/browser/all.test.js", ...process.argv.slice(2)];
  execFileSync(process.execPath, run, { cwd: packageFolder, stdio: "inherit" });
} catch (failure) {
  process.exit(failure.status ?? 1);
}
