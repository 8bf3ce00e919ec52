import { defineConfig } from "vitest/config";

// Runs on the built bundle in a real browser, so it needs no plugin and no DOM of its own.
export default defineConfig({
  test: {
    environment: "node",
    include: ["tests/browser/**/*.test.ts"],
    testTimeout: 60_000,
    // Each file has a browser and a server of its own.
    maxWorkers: 2,
  },
});
