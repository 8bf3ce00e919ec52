// The window on a station that does not exist, with rows of buttons that play devices, badges and papers.

import { failing, FakeShell, good, nobody, station } from "./fake";
import { newCheckValue } from "./fake/keys";
import { roster } from "./fake/roster";
import { open } from "./open";

const shell = new FakeShell({ ...station, session: nobody }, "unlocked");
shell.pace = () => new Promise((done) => setTimeout(done, 400));
open(shell);

/** A scanner: faster than fingers, and Enter. */
function scan(badge: string): void {
  for (const key of [...badge.split(""), "Enter"])
    document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
}

const devices: Readonly<Record<string, () => unknown>> = {
  "Plug in a good one": () => shell.plug(1, good),
  "Plug in a failing one": () => shell.plug(1, failing),
  Unplug: () => {
    shell.unplug(1);
  },
};
const people: Readonly<Record<string, () => unknown>> = Object.fromEntries(
  roster()
    .filter(({ badge, active }) => badge !== "" && active)
    .map(({ user, badge, pin, roles }) => [
      `${user}, ${roles.join(" and ")}, PIN ${pin}`,
      () => {
        scan(badge);
      },
    ]),
);

const hand = document.createElement("nav");
hand.ariaLabel = "What a hand would do";
hand.style.cssText =
  "position: fixed; right: 16px; bottom: 4px; left: 16px; display: flex; flex-wrap: wrap; gap: 4px; font-size: 13px";
for (const [name, deed] of [...Object.entries(devices), ...Object.entries(people)]) {
  const button = document.createElement("button");
  button.textContent = name;
  button.style.cssText = "min-height: 0; border-width: 1px; font-size: 13px";
  button.onmousedown = (event) => {
    event.preventDefault(); // or the next Enter would press it again
  };
  button.onclick = () => deed();
  hand.append(button);
}
const papers = document.createElement("span");
papers.textContent = `Papers: left ${shell.ring.papers[0]}, right ${shell.ring.papers[1]}, key ${newCheckValue}`;
hand.append(papers);
document.body.append(hand);
