// A PIN while it is typed. The digits stand in no element, no attribute and no state that a page could show: only how
// many there are is shown.

/** Digits of a PIN. */
export const LEAST = 6;
export const MOST = 12;

export class Digits {
  /** How many were typed. */
  count = $state(0);
  #digits: string[] = [];

  type(digit: string): void {
    if (!/^[0-9]$/.test(digit) || this.#digits.length === MOST) return;
    this.#digits.push(digit);
    this.count = this.#digits.length;
  }

  erase(): void {
    this.#digits.pop();
    this.count = this.#digits.length;
  }

  clear(): void {
    this.#digits = [];
    this.count = 0;
  }

  /** Whether it is long enough. */
  get enough(): boolean {
    return this.count >= LEAST;
  }

  /** The PIN, which is gone from here then. */
  take(): string {
    const pin = this.#digits.join("");
    this.clear();
    return pin;
  }
}
