import { defineConfig } from "vitest/config";

// What is photographed for docs/screen.md: on the built bundle, in a real browser.
export default defineConfig({
  test: {
    environment: "node",
    include: ["tests/browser/**/*.photo.ts"],
    testTimeout: 300_000,
    reporters: [["default", { summary: false }]],
    disableConsoleIntercept: true,
  },
});
