// Which language the window speaks: the one of the person who is signed in, else the one of the station. Both are kept
// in the window's own storage on this machine; the log and the settings of the station know nothing of it.

import { isLanguage, type Language } from "./messages/languages";
import { words } from "./words.svelte";

export type Store = Pick<Storage, "getItem" | "setItem">;

/** For whom a language is chosen: the person who is signed in, whoever takes over, or everybody who comes here. */
export type For = "own" | "next" | "station";

export class Languages {
  readonly #store: Store;
  #user = "";
  /** Somebody chose at the door, and has not come in yet. */
  #chosen = false;

  constructor(store: Store) {
    this.#store = store;
    words.speak(this.#kept("") ?? "en");
  }

  /** This person is signed in now, or nobody. Who chose on the way in keeps that. */
  follow(user: string): void {
    const came = user !== this.#user && user !== "";
    this.#user = user;
    if (came && this.#chosen) this.#store.setItem(key(user), words.language);
    this.#chosen = false;
    words.speak(this.#kept(user) ?? this.#kept("") ?? "en");
  }

  choose(language: Language, whom: For): void {
    if (whom === "own") this.#store.setItem(key(this.#user), language);
    else this.#chosen = true;
    if (whom === "station") this.#store.setItem(key(""), language);
    words.speak(language);
  }

  #kept(user: string): Language | undefined {
    const kept = this.#store.getItem(key(user));
    return isLanguage(kept) ? kept : undefined;
  }
}

/** The station's own is that of nobody. */
function key(user: string): string {
  return user === "" ? "language" : `language of ${user}`;
}
