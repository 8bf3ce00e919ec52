import js from "@eslint/js";
import svelte from "eslint-plugin-svelte";
import globals from "globals";
import ts from "typescript-eslint";
import svelteConfig from "./svelte.config.js";

const only_ipc = {
    patterns: [
        { group: ["@tauri-apps/*"], message: "src/ipc.ts is the only way to the shell; take a Shell." },
    ],
};

export default ts.config(
    { ignores: ["dist/", "dist-fake/", "src/bindings/"] },
    js.configs.recommended,
    ...ts.configs.strictTypeChecked,
    ...svelte.configs.recommended,
    {
        languageOptions: {
            globals: globals.browser,
            parserOptions: {
                projectService: true,
                extraFileExtensions: [".svelte"],
                tsconfigRootDir: import.meta.dirname,
            },
        },
        rules: {
            "no-restricted-imports": ["error", only_ipc],
            "no-console": "error",
            // What devices and operators send is text; nothing of it becomes markup.
            "svelte/no-at-html-tags": "error",
            "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
        },
    },
    {
        files: ["**/*.svelte", "**/*.svelte.ts"],
        languageOptions: { parserOptions: { parser: ts.parser, svelteConfig } },
    },
    { files: ["src/ipc.ts"], rules: { "no-restricted-imports": "off" } },
    { files: ["*.js"], ...ts.configs.disableTypeChecked },
);
