// Builds the page into the Python package: index.html, app.js, app.css.
// Usage: node apps/chat/build.mjs [--watch]

import { copyFile, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { build, context } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const target = join(here, "../../../python/hubbub/apps/chat/static");
const options = {
  entryPoints: [
    { in: join(here, "src/main.tsx"), out: "app" },
    { in: join(here, "styles/app.css"), out: "app" },
  ],
  outdir: target,
  bundle: true,
  minify: true,
  format: "esm",
  jsx: "automatic",
  jsxImportSource: "preact",
  target: ["chrome123", "edge123", "firefox121", "safari17.5"],
  loader: { ".ftl": "text" },
  legalComments: "none",
  charset: "utf8",
  logLevel: "warning",
};

await mkdir(target, { recursive: true });
await copyFile(join(here, "index.html"), join(target, "index.html"));
if (process.argv.includes("--watch")) {
  await (await context(options)).watch();
} else {
  await build(options);
}
