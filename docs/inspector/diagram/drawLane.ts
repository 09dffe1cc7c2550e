import { isReleasing, type Lane, type Mark } from '../view/lane.ts';
import { marbleColour, type Palette } from './palette.ts';

/** The size of a lane in CSS pixels, and the time that it shows. */
export interface Frame {
  readonly from: number;
  readonly until: number;
  readonly now: number;
  readonly width: number;
  readonly height: number;
}

/** Marbles that are this near to one another are drawn small, and nearer ones not all. */
const ROOM = 15;
const LEAST_DISTANCE = 3;
const RADIUS = 9;

/** Returns the position of a time. The right margin keeps the newest marble visible. */
export function xOf(at: number, { from, until, width }: Frame): number {
  return ((at - from) / (until - from)) * (width - RADIUS * 2) + RADIUS / 2;
}

/** Returns the time at a position. */
export function timeAt(x: number, { from, until, width }: Frame): number {
  return from + ((x - RADIUS / 2) / (width - RADIUS * 2)) * (until - from);
}

/** Draws a lane: its line, which shows what the server has, and its marks. */
export function drawLane(
  context: CanvasRenderingContext2D,
  lane: Lane,
  frame: Frame,
  palette: Palette,
  shown: Mark | undefined,
): void {
  context.clearRect(0, 0, frame.width, frame.height);
  drawLine(context, lane, frame, palette);
  const first = firstAfter(lane.marks, frame.from - (frame.until - frame.from) * 0.02);
  drawMarbles(context, lane.marks, first, frame, palette);
  // Over the marbles: they are few, and say more.
  for (let index = first; index < lane.marks.length; index += 1) {
    const mark = lane.marks[index];
    if (mark === undefined || mark.at > frame.until) break;
    if (mark.type === 'event') continue;
    const x = xOf(mark.at, frame);
    if (mark.type === 'release' && !(mark.at >= (lane.endedAt ?? Infinity)))
      drop(context, mark, x, frame, palette);
    else drawSign(context, mark, x, frame, palette);
  }
  if (shown !== undefined) drawFocus(context, xOf(shown.at, frame), frame, palette);
}

/** Dashed until the server has a subscription, solid while it is subscribed, dotted until its release. */
function drawLine(context: CanvasRenderingContext2D, lane: Lane, frame: Frame, palette: Palette): void {
  const stroke = (from: number, to: number, colour: string, width: number, dash: number[]): void => {
    const left = Math.max(xOf(from, frame), 0);
    const right = Math.min(xOf(to, frame), frame.width);
    if (right <= left) return;
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.setLineDash(dash);
    context.beginPath();
    context.moveTo(left, frame.height / 2);
    context.lineTo(right, frame.height / 2);
    context.stroke();
    context.setLineDash([]);
  };
  const end = lane.endedAt ?? frame.now;
  const created = Math.min(lane.createdAt ?? end, end);
  stroke(lane.subscribedAt, created, palette.stroke, 1.5, [4, 4]);
  stroke(created, end, palette.stroke, 1.5, []);
  if (lane.endedAt === undefined) return;
  const released = isReleasing(lane) ? frame.now : lane.releasedAt;
  if (released !== undefined) stroke(lane.endedAt, released, palette.warn, 3, [2, 4]);
}

function drawMarbles(
  context: CanvasRenderingContext2D,
  marks: readonly Mark[],
  first: number,
  frame: Frame,
  palette: Palette,
): void {
  const y = frame.height / 2;
  let before = -Infinity;
  context.lineWidth = 1.5;
  context.font = '600 11px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace';
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  for (let index = first; index < marks.length; index += 1) {
    const mark = marks[index];
    if (mark === undefined || mark.at > frame.until) break;
    if (mark.type !== 'event') continue;
    const x = xOf(mark.at, frame);
    if (x - before < LEAST_DISTANCE) continue;
    const next = marks[index + 1];
    const room = next?.type === 'event' ? xOf(next.at, frame) - x : Infinity;
    // One at the same position is not drawn.
    const isTight = x - before < ROOM || (room >= LEAST_DISTANCE && room < ROOM);
    before = x;
    const colour = palette.marbles[marbleColour(mark.label)];
    if (colour === undefined) continue;
    context.fillStyle = isTight ? colour.outline : colour.fill;
    context.beginPath();
    context.arc(x, y, isTight ? 3.5 : RADIUS, 0, Math.PI * 2);
    context.fill();
    if (isTight) continue;
    context.strokeStyle = colour.outline;
    context.stroke();
    context.fillStyle = palette.ink;
    context.fillText(mark.glyph, x, y + 0.5);
  }
}

function drawSign(
  context: CanvasRenderingContext2D,
  mark: Mark,
  x: number,
  frame: Frame,
  palette: Palette,
): void {
  const { height } = frame;
  const y = height / 2;
  context.lineWidth = 2;
  switch (mark.type) {
    case 'subscribed':
      bar(context, x, y - 7, y + 7, palette.ink);
      return;
    case 'created':
      context.fillStyle = palette.accent;
      context.beginPath();
      context.moveTo(x - 5, y - 8);
      context.lineTo(x + 5, y - 8);
      context.lineTo(x, y - 1);
      context.fill();
      return;
    case 'gap':
      diamond(context, x, y, palette);
      return;
    case 'unsubscribed':
    case 'completed':
      bar(context, x, y - 12, y + 12, palette.ink);
      return;
    case 'failed':
      cross(context, x, y, palette.error);
      return;
    case 'release':
      chip(context, mark, x, frame, palette);
      return;
    case 'event':
      return;
  }
}

function bar(
  context: CanvasRenderingContext2D,
  x: number,
  top: number,
  bottom: number,
  colour: string,
): void {
  context.strokeStyle = colour;
  context.beginPath();
  context.moveTo(x, top);
  context.lineTo(x, bottom);
  context.stroke();
}

function cross(context: CanvasRenderingContext2D, x: number, y: number, colour: string): void {
  context.strokeStyle = colour;
  context.beginPath();
  for (const side of [-1, 1]) {
    context.moveTo(x - 7, y - 7 * side);
    context.lineTo(x + 7, y + 7 * side);
  }
  context.stroke();
}

/** A gap interrupts the line: events are missing here. */
function diamond(context: CanvasRenderingContext2D, x: number, y: number, palette: Palette): void {
  context.fillStyle = palette.paper;
  context.fillRect(x - 14, y - 12, 28, 24);
  context.strokeStyle = palette.warn;
  context.fillStyle = palette.warn;
  context.beginPath();
  context.moveTo(x, y - 11);
  context.lineTo(x + 11, y);
  context.lineTo(x, y + 11);
  context.lineTo(x - 11, y);
  context.closePath();
  context.stroke();
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.font = '700 12px system-ui, sans-serif';
  context.fillText('!', x, y + 0.5);
}

/** The end of an earlier subscription of a stream that continues. */
function drop(
  context: CanvasRenderingContext2D,
  mark: Mark,
  x: number,
  { height }: Frame,
  palette: Palette,
): void {
  context.strokeStyle = mark.isGood === true ? palette.ok : palette.error;
  context.lineWidth = 2;
  context.strokeRect(x - 3, height / 2 + 9, 6, 6);
}

/** The outcome of a release, such as 204. */
function chip(
  context: CanvasRenderingContext2D,
  mark: Mark,
  x: number,
  frame: Frame,
  palette: Palette,
): void {
  context.font = '600 11px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace';
  const width = context.measureText(mark.label).width + 12;
  const left = Math.min(x, frame.width - width - 1);
  const colour = mark.isGood === true ? palette.ok : palette.error;
  context.fillStyle = palette.paper;
  context.strokeStyle = colour;
  context.lineWidth = 1.5;
  context.beginPath();
  context.roundRect(left, frame.height / 2 - 10, width, 20, 4);
  context.fill();
  context.stroke();
  context.fillStyle = colour;
  context.textAlign = 'left';
  context.textBaseline = 'middle';
  context.fillText(mark.label, left + 6, frame.height / 2 + 0.5);
}

function drawFocus(context: CanvasRenderingContext2D, x: number, frame: Frame, palette: Palette): void {
  context.strokeStyle = palette.accent;
  context.lineWidth = 2;
  context.beginPath();
  context.arc(x, frame.height / 2, RADIUS + 4, 0, Math.PI * 2);
  context.stroke();
}

/** Returns the index of the first mark at or after a time; marks are in the order of time. */
export function firstAfter(marks: readonly Mark[], at: number): number {
  let low = 0;
  let high = marks.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((marks[middle]?.at ?? Infinity) < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Returns the mark that is nearest to a position, within a marble's reach. */
export function markNear(marks: readonly Mark[], x: number, frame: Frame): Mark | undefined {
  const reach = timeAt(x + RADIUS * 2, frame) - timeAt(x, frame);
  const at = timeAt(x, frame);
  let nearest: Mark | undefined;
  // A chip begins at its time and is wider than a marble.
  for (let index = firstAfter(marks, at - reach * 1.5); index < marks.length; index += 1) {
    const mark = marks[index];
    if (mark === undefined || mark.at > at + reach) break;
    if (nearest === undefined || Math.abs(mark.at - at) < Math.abs(nearest.at - at)) nearest = mark;
  }
  return nearest;
}
