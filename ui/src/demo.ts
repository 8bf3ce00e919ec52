// The window on a station that does not exist, with a row of buttons that play the devices.

import { failing, FakeShell, good, station } from "./fake";
import { open } from "./open";

const shell = new FakeShell(station, "unlocked");
shell.pace = () => new Promise((done) => setTimeout(done, 400));
open(shell);

const hand = document.createElement("nav");
hand.ariaLabel = "What a hand would do";
hand.style.cssText = "position: fixed; right: 16px; bottom: 16px; display: flex; gap: 8px";
const deeds: Readonly<Record<string, () => unknown>> = {
  "Plug in a good one": () => shell.plug(1, good),
  "Plug in a failing one": () => shell.plug(1, failing),
  Unplug: () => {
    shell.unplug(1);
  },
};
for (const [name, deed] of Object.entries(deeds)) {
  const button = document.createElement("button");
  button.textContent = name;
  button.onclick = () => {
    deed();
    button.blur(); // or the next Enter would press it again
  };
  hand.append(button);
}
document.body.append(hand);
