// The words of the window in the language that is spoken now. Whatever reads them is written anew when it changes.

import type { Problem } from "./bindings/Problem";
import { LANGUAGES, type Language } from "./messages/languages";
import type { Told } from "./messages/told";
import type { Messages } from "./messages/words";

class Words {
  #language: Language = $state("en");
  #messages: Messages = $state.raw(LANGUAGES.en.messages);

  /** Every message passes here; tests make them longer. */
  through: (messages: Messages) => Messages = (messages) => messages;

  get language(): Language {
    return this.#language;
  }

  speak(language: Language): void {
    this.#language = language;
    this.#messages = this.through(LANGUAGES[language].messages);
    document.documentElement.lang = language;
  }

  get line(): Messages["line"] {
    return this.#messages.line;
  }
  get door(): Messages["door"] {
    return this.#messages.door;
  }
  get people(): Messages["people"] {
    return this.#messages.people;
  }
  get keys(): Messages["keys"] {
    return this.#messages.keys;
  }
  get orders(): Messages["orders"] {
    return this.#messages.orders;
  }
  get repair(): Messages["repair"] {
    return this.#messages.repair;
  }
  get audit(): Messages["audit"] {
    return this.#messages.audit;
  }
  get failures(): Messages["failures"] {
    return this.#messages.failures;
  }
  get safety(): Messages["safety"] {
    return this.#messages.safety;
  }

  /** What a record is, or its own name where this window does not know it. */
  event(name: string): string {
    return named(this.#messages.events, name) ?? name;
  }

  /** The class of a failure, or its own name. */
  outcome(name: string): string {
    return named(this.#messages.outcomes, name) ?? name;
  }

  /** A role of a person, or its own name. */
  role(name: string): string {
    return named(this.#messages.door.roles, name) ?? name;
  }

  /** Why something was not permitted, or the word of the record. */
  whyNot(word: string): string {
    return named(this.#messages.audit.denials.because, word) ?? word;
  }

  /** A failure in a word or two; of another program's, its code as words. */
  cause(code: string): string {
    const { causes } = this.#messages;
    const words = code.replaceAll("-", " ");
    return (causes && named(causes, code)) ?? words.charAt(0).toUpperCase() + words.slice(1);
  }

  /** A problem in this language, and the station's own sentence beside it, which is English and has the particulars. */
  problem({ code, sentence, remedy }: Problem): Told & { detail?: string } {
    const { problems, failures } = this.#messages;
    const known = problems && (named(problems, code) ?? named(failures, code));
    return known ? { ...known, detail: sentence } : { sentence, remedy };
  }
}

/** What a table has under a name that came from elsewhere. */
function named<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

export const words = new Words();
