/** What docs/hub.md shows of this package is right, as far as its types can tell. */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { afterAll, expect, it } from "vitest";

const ROOT = resolve(import.meta.dirname, "..");
/** Below the package, where its own packages are found. */
const folder = mkdtempSync(join(ROOT, "node_modules/.documented-"));

afterAll(() => rmSync(folder, { recursive: true }));

/** What a page has besides, and what `hubbub export typescript` has written. */
const BESIDES = {
  "globals.d.ts": `
    declare const client: import("centrifuge").Centrifuge;
    declare function show(data: unknown): void;
    declare function loadAnew(): void;`,
  "procedures.ts": "export interface Procedures { say: { params: { text: string; key: string }; result: null } }",
};

it("compiles", { timeout: 120_000 }, () => {
  const page = readFileSync(resolve(ROOT, "../docs/hub.md"), "utf8");
  const examples = [...page.matchAll(/```ts\n(.*?)```/gs)].map(([, code = ""], at) => [`example${at}.ts`, code] as const);
  expect(examples.length).toBe(3);
  const files = [...Object.entries(BESIDES), ...examples];
  const config = {
    extends: "../../tsconfig.json",
    compilerOptions: { noUnusedLocals: false, types: [], paths: { "hubbub-client": ["../../src/index.ts"] } },
    files: files.map(([name]) => name),
  };
  for (const [name, text] of [...files, ["tsconfig.json", JSON.stringify(config)] as const]) {
    writeFileSync(join(folder, name), text);
  }
  const tsc = spawnSync(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc"), "-p", folder], { encoding: "utf8" });
  expect(tsc.stdout + tsc.stderr).toBe("");
  expect(tsc.status).toBe(0);
});
