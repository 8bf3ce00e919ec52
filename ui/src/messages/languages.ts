// The languages of the window. Each is named in itself, for whoever cannot read the others.

import { de } from "./de";
import { en } from "./en";
import { es } from "./es";
import { vi } from "./vi";
import type { Messages } from "./words";
import { zh } from "./zh";

/** Tags of BCP 47, as the document has them; with the region that dates are written for. */
export const LANGUAGES = {
  en: { name: "English", dates: "en-GB", messages: en },
  de: { name: "Deutsch", dates: "de-DE", messages: de },
  es: { name: "Español", dates: "es-ES", messages: es },
  "zh-Hans": { name: "简体中文", dates: "zh-CN", messages: zh },
  vi: { name: "Tiếng Việt", dates: "vi-VN", messages: vi },
} as const satisfies Record<string, { name: string; dates: string; messages: Messages }>;

export type Language = keyof typeof LANGUAGES;

export function isLanguage(text: string | null): text is Language {
  return text !== null && Object.hasOwn(LANGUAGES, text);
}
