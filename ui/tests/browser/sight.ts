// How colours look to eyes that see no red or no green, and how far apart they are then.

/** sRGB, 0 to 255. */
export type Colour = readonly [number, number, number];

type Matrix = readonly [Colour, Colour, Colour];

/**
 * For linear sRGB, at full severity: G. M. Machado, M. M. Oliveira, L. A. F. Fernandes, "A Physiologically-based Model for
 * Simulation of Color Vision Deficiency", IEEE Transactions on Visualization and Computer Graphics 15 (2009), table of
 * matrices for severity 1.0. Grey is the luminance of IEC 61966-2-1.
 */
const MATRICES = {
  normal: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  grey: [
    [0.2126, 0.7152, 0.0722],
    [0.2126, 0.7152, 0.0722],
    [0.2126, 0.7152, 0.0722],
  ],
} as const satisfies Record<string, Matrix>;

export type Sight = keyof typeof MATRICES;
export const SIGHTS = Object.keys(MATRICES) as Sight[];

/** The curve of sRGB (IEC 61966-2-1), and its inverse. */
const linear = (value: number) => {
  const share = value / 255;
  return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
};
const curved = (value: number) => {
  const share = Math.min(1, Math.max(0, value));
  return 255 * (share <= 0.0031308 ? 12.92 * share : 1.055 * share ** (1 / 2.4) - 0.055);
};

function times(matrix: Matrix, [x, y, z]: Colour): Colour {
  const row = ([a, b, c]: Colour) => a * x + b * y + c * z;
  return [row(matrix[0]), row(matrix[1]), row(matrix[2])];
}

const each = ([a, b, c]: Colour, map: (value: number) => number): Colour => [map(a), map(b), map(c)];

/** The colour as these eyes see it. */
export function seenAs(colour: Colour, sight: Sight): Colour {
  return each(times(MATRICES[sight], each(colour, linear)), curved);
}

/** sRGB to XYZ over the white of D65, so that white is 1, 1, 1. */
const XYZ: Matrix = [
  [0.4124564 / 0.95047, 0.3575761 / 0.95047, 0.1804375 / 0.95047],
  [0.2126729, 0.7151522, 0.072175],
  [0.0193339 / 1.08883, 0.119192 / 1.08883, 0.9503041 / 1.08883],
];

/** CIELAB (ISO/CIE 11664-4). */
function lab(colour: Colour): Colour {
  const f = (share: number) =>
    share > (6 / 29) ** 3 ? Math.cbrt(share) : share / (3 * (6 / 29) ** 2) + 4 / 29;
  const [x, y, z] = each(times(XYZ, each(colour, linear)), f);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

/** CIE 1976 colour difference. */
export function apart(one: Colour, other: Colour): number {
  const [from, to] = [lab(one), lab(other)];
  return Math.hypot(from[0] - to[0], from[1] - to[1], from[2] - to[2]);
}
