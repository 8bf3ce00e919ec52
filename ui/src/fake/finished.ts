// What a look at a device finds, at the station that does not exist.

import type { CheckReport } from "../bindings/CheckReport";

/** A device as it should be. */
export const finished: CheckReport = {
  passed: true,
  id: "sn-007-888-abc",
  serial: "007-888-abc",
  points: [
    { name: "identity", sentence: "It is sn-007-888-abc, firmware 2.4.1, generation 1." },
    { name: "set", sentence: "It holds a set for sn-007-888-abc in scope 0ne00000001." },
    { name: "proof", sentence: "It proved the key of gk-2026a (9B5BD-BEC8B)." },
    { name: "record", sentence: "Record 5126 says that it was keyed here with this key." },
    {
      name: "anchor",
      sentence: "Up to its intent, record 5125, the log is the one that it was keyed under.",
    },
  ].map((point) => ({ ...point, verdict: "holds", remedy: [] }) as CheckReport["points"][number]),
};

/** One that holds another key than its record says. */
export const foreign: CheckReport = {
  ...finished,
  passed: false,
  points: finished.points.map((point) => {
    if (point.name === "anchor")
      return {
        ...point,
        verdict: "not-compared",
        sentence: "It is not anchored: its set was written without.",
      };
    if (point.name !== "proof") return point;
    return {
      ...point,
      verdict: "fails",
      sentence: "It did not prove the key of gk-2026a (9B5BD-BEC8B).",
      remedy: ["Do not ship it.", "Keep the device apart.", "Call the supervisor."],
    };
  }),
};
