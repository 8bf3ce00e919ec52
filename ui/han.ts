// The Chinese face holds some thirty thousand characters; the window says a few hundred of them. What the bundle gets
// is the part that its messages are written with. A name that somebody types in other characters is drawn by the
// system's own face.

import { readdir, readFile } from "node:fs/promises";

import subset from "subset-font";
import type { Plugin } from "vite";

const FACE = /noto-sans-sc.*\.woff2$/;
const SPOKEN = ["src/messages/zh", "src/messages/languages.ts"];

/** Every character beyond the alphabets that stands in the Chinese messages. */
async function spoken(): Promise<string> {
  const files = SPOKEN.flatMap((path) => (path.endsWith(".ts") ? [path] : []));
  for (const folder of SPOKEN.filter((path) => !path.endsWith(".ts")))
    files.push(...(await readdir(folder)).map((name) => `${folder}/${name}`));
  // And what dates are written with, which comes from the system and not from the messages.
  const months = Array.from({ length: 12 }, (_, month) =>
    new Date(Date.UTC(2026, month)).toLocaleDateString("zh-CN", {
      day: "numeric",
      month: "short",
      year: "numeric",
    }),
  );
  const text = (await Promise.all(files.map((file) => readFile(file, "utf8")))).concat(months).join("");
  return [...new Set(text)]
    .filter((character) => character > "\u2e7f" || "…·“”".includes(character))
    .join("");
}

/** Makes the face as small as the messages are. */
export function han(): Plugin {
  return {
    name: "han",
    apply: "build",
    async generateBundle(_options, bundle) {
      const text = await spoken();
      for (const file of Object.values(bundle))
        if (file.type === "asset" && FACE.test(file.fileName))
          file.source = await subset(Buffer.from(file.source), text, { targetFormat: "woff2" });
    },
  };
}
