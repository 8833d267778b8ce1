/**
 * Builds everything into `dist`: the package, the counter page, and the tests.
 *
 * The types are generated first where they are missing; `--fresh` generates them in any case.
 * TypeScript checks all of it before anything is written.
 */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const packageFolder = join(dirname(fileURLToPath(import.meta.url)), "..");
process.chdir(packageFolder);

/** Runs a tool of this package and ends with its exit code where it fails. */
function tool(name, ...arguments_) {
  try {
    execFileSync(join("node_modules", ".bin", name), arguments_, { stdio: "inherit" });
  } catch (failure) {
    process.exit(failure.status ?? 1);
  }
}

/** Returns the test files of a folder of `tests`. */
function tests(folder) {
  const path = join("tests", folder);
  return readdirSync(path).filter((name) => name.endsWith(".test.ts")).map((name) => join(path, name));
}

if (process.argv.includes("--fresh") || !existsSync("src/generated/api.ts")) {
  execFileSync(process.execPath, ["scripts/generate.mjs"], { stdio: "inherit" });
}
tool("tsc", "-p", "tsconfig.json");
rmSync("dist", { recursive: true, force: true });
tool("tsc", "-p", "tsconfig.package.json");

mkdirSync("dist/counter-page", { recursive: true });
cpSync("counter-page/index.html", "dist/counter-page/index.html");
await build({
  entryPoints: ["counter-page/page.ts", "counter-page/page.css"],
  outdir: "dist/counter-page",
  bundle: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
});
for (const folder of ["unit", "browser"]) {
  await build({
    entryPoints: tests(folder),
    outdir: join("dist", "tests", folder),
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    packages: "external",
    alias: { "@madoguchi/agent": "./src/index.ts" },
    charset: "utf8",
  });
}
