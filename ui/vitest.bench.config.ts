import { defineConfig } from "vitest/config";

// What is measured, on the built bundle in a real browser. Prints a JSON object a row, for `cargo xtask bench`.
export default defineConfig({
  test: {
    environment: "node",
    include: ["tests/browser/**/*.bench.ts"],
    testTimeout: 300_000,
    reporters: [["default", { summary: false }]],
    disableConsoleIntercept: true,
  },
});
