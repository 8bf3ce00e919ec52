/** Width of a card over its height, as a card looks best. */
const SHAPE = 1.5;

/** Into how many columns `slots` cards fill an area of this shape (width over height) with the least distortion. */
export function columns(slots: number, area: number): number {
  const distortion = (count: number) => {
    const rows = Math.ceil(slots / count);
    const shape = (area * rows) / count;
    const empty = (rows * count) / slots;
    // An empty place disturbs more than a card that is wider than it should be.
    return Math.abs(Math.log(shape / SHAPE)) + 3 * Math.log(empty);
  };
  let best = 1;
  for (let count = 2; count <= slots; count++) if (distortion(count) < distortion(best)) best = count;
  return best;
}
