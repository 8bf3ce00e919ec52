// One short high tone is PASS, two low ones are FAIL, a long one calls the supervisor. Who cannot hear them sees the card.

/** What can be heard: three, told apart by their rhythm as well as by their pitch. */
export const TONES = ["pass", "fail", "call"] as const;
export type Heard = (typeof TONES)[number];

/** Plays a result. */
export type Sound = (heard: Heard) => void;

/** A tone: when it begins and how long it lasts in seconds, and its pitch in hertz. */
interface Tone {
  at: number;
  lasts: number;
  pitch: number;
}

const RESULTS: Record<Heard, readonly Tone[]> = {
  pass: [{ at: 0, lasts: 0.14, pitch: 1318.5 }],
  fail: [
    { at: 0, lasts: 0.24, pitch: 220 },
    { at: 0.36, lasts: 0.24, pitch: 220 },
  ],
  call: [{ at: 0, lasts: 1.4, pitch: 587.3 }],
};

/** The loudspeaker of the machine, or silence on a machine that has none. */
export function speaker(): Sound {
  let context: AudioContext | undefined;
  return (heard) => {
    try {
      context ??= new AudioContext();
    } catch {
      return; // No audio device: the card says it all.
    }
    // A browser may hold sound back until the first key press; the station has one, to unlock.
    void context.resume();
    for (const tone of RESULTS[heard]) play(context, tone);
  };
}

function play(context: AudioContext, { at, lasts, pitch }: Tone): void {
  const start = context.currentTime + at;
  const oscillator = new OscillatorNode(context, { type: "triangle", frequency: pitch });
  const volume = new GainNode(context, { gain: 0 });
  // Ramps instead of edges: an edge clicks.
  volume.gain.linearRampToValueAtTime(0.4, start + 0.01);
  volume.gain.setValueAtTime(0.4, start + lasts - 0.03);
  volume.gain.linearRampToValueAtTime(0, start + lasts);
  oscillator.connect(volume).connect(context.destination);
  oscillator.start(start);
  oscillator.stop(start + lasts);
}
