import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const path = (to) => fileURLToPath(new URL(to, import.meta.url));

// The page has no inline script or style, and loads nothing from elsewhere: the server forbids it.
export default defineConfig({
  root: path("."),
  logLevel: "warn",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: path("../dist/dashboard"),
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
  },
});
