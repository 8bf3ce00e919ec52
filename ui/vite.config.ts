import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

import { han } from "./han.ts";

// The shipped bundle has one page, which speaks to the shell. The bundle with the fake is for people who look and
// for tests that photograph; nothing of it ships.
export default defineConfig(({ mode }) => ({
  plugins: [svelte(), han()],
  clearScreen: false,
  server: { port: 5173, strictPort: true },
  build: {
    outDir: mode === "fake" ? "dist-fake" : "dist",
    rolldownOptions: { input: mode === "fake" ? ["demo.html", "states.html"] : ["index.html"] },
    // Both would need `unsafe-inline` or `data:` in the content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  // Svelte's browser build, not the one for servers.
  resolve: mode === "test" ? { conditions: ["browser"] } : {},
  test: { environment: "happy-dom", include: ["src/**/*.test.ts"] },
}));
