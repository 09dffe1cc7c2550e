import type { Lane } from './recording.ts';
import { STYLE } from './colours.ts';

/** What a diagram shows. */
export interface Diagram {
  /** The text of the box, such as the call `ofType('added')`. */
  readonly call: string;
  /** The lanes above the box, such as the streams that an operator subscribes to. */
  readonly above: readonly Lane[];
  /** The lanes below the box, such as the result of the operator. */
  readonly below: readonly Lane[];
}

type Event = Lane['events'][number];

const CHARACTER = 7.3;
const MARBLE = 24;
const GAP = 12;
const ROW = 20;
const LEFT = 24;
const RIGHT = 36;
const BOX = 36;
const NARROWEST = 560;

/** Draws a marble diagram: a box between lanes, such as an operator between its sources and its result. */
export function draw({ call, above, below }: Diagram): string {
  const lanes = [...above, ...below];
  const scale = timeScale(lanes);
  const lastMs = Math.max(...lanes.map(lastOf));
  const lastWidth = Math.max(
    ...lanes.flatMap(({ events }) =>
      events.filter(({ atMs }) => atMs === lastMs).map(({ text }) => widthOf(text)),
    ),
    0,
  );
  const width = Math.ceil(Math.max(scale(lastMs) + lastWidth / 2 + RIGHT, widthOf(call) + 2 * LEFT));
  const colours = coloursOf(lanes);
  const parts: string[] = [];
  let y = 4;
  const drawLane = (lane: Lane): void => {
    const deepest = Math.max(1, ...stacks(lane).map((stack) => stack.length));
    const middle = y + ROW + (deepest * (MARBLE + 2)) / 2 + 4;
    parts.push(text(LEFT - 16, y + 14, lane.label, 'label'));
    parts.push(...laneParts(lane, { middle, scale, endX: width - 12, colours }));
    y = middle + (deepest * (MARBLE + 2)) / 2 + 8;
  };
  above.forEach(drawLane);
  y += 6;
  parts.push(`<rect class="box" x="8.5" y="${y + 0.5}" width="${width - 17}" height="${BOX}" rx="8"/>`);
  parts.push(text(width / 2, y + BOX / 2 + 5, call, 'call'));
  y += BOX + 8;
  below.forEach(drawLane);
  const height = Math.ceil(y + 4);

  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title desc">`,
    `<title id="title">Marble diagram of ${escape(call)}</title>`,
    `<desc id="desc">${lanes.map(sentence).map(escape).join(' ')}</desc>`,
    `<style>${STYLE}</style>`,
    ...parts,
    '</svg>',
  ].join('\n')}\n`;
}

/** Returns the lane in words. */
function sentence({ label, events, end }: Lane): string {
  const values = events.map(({ text }) => text).join(', ');
  const emits = events.length === 0 ? 'emits nothing' : `emits ${values}`;
  const ends = {
    complete: ', and completes',
    error: ', and errors',
    unsubscribe: ', and is unsubscribed from',
  };
  return `${label} ${emits}${end === undefined ? '' : ends[end.by]}.`;
}

function laneParts(lane: Lane, { middle, scale, endX, colours }: LanePlace): string[] {
  const from = scale(lane.fromMs);
  // An end at the moment of a value is drawn after it.
  const beside = lane.events
    .filter(({ atMs }) => atMs === lane.end?.atMs)
    .map(({ text }) => widthOf(text) / 2 + 10);
  const isVisible = lane.end?.by === 'complete' || lane.end?.by === 'error';
  const end = lane.end === undefined ? endX : scale(lane.end.atMs) + (isVisible ? Math.max(0, ...beside) : 0);
  const parts = [`<path class="line" d="M${round(from)} ${middle}H${round(end)}"/>`];
  if (lane.end === undefined) parts.push(`<path class="line" d="m${endX - 6} ${middle - 5} 6 5-6 5"/>`);
  if (lane.end?.by === 'complete') parts.push(`<path class="end" d="M${round(end)} ${middle - 15}v30"/>`);
  if (lane.end?.by === 'error')
    parts.push(`<path class="error" d="m${round(end - 8)} ${middle - 8} 16 16m0-16-16 16"/>`);
  for (const stack of stacks(lane)) {
    const x = scale(stack[0]!.atMs);
    const top = middle - (stack.length * (MARBLE + 2)) / 2 + 1;
    stack.forEach((event, index) => {
      parts.push(...marble(event, x, top + index * (MARBLE + 2), colours.get(event.text) ?? 0));
    });
  }
  return parts;
}

interface LanePlace {
  readonly middle: number;
  readonly scale: (ms: number) => number;
  readonly endX: number;
  readonly colours: ReadonlyMap<string, number>;
}

function marble({ text: label }: Event, x: number, top: number, colour: number): string[] {
  const width = widthOf(label);
  return [
    `<rect class="c${colour}" x="${round(x - width / 2)}" y="${round(top)}" width="${round(width)}" height="${MARBLE}" rx="12"/>`,
    text(x, top + MARBLE / 2 + 4, label, 'value'),
  ];
}

/** Returns the events of each moment. */
function stacks({ events }: Lane): Event[][] {
  const byTime = new Map<number, Event[]>();
  for (const event of events) byTime.set(event.atMs, [...(byTime.get(event.atMs) ?? []), event]);
  return [...byTime.values()];
}

function lastOf({ events, end, fromMs }: Lane): number {
  return Math.max(fromMs, ...events.map(({ atMs }) => atMs), end?.atMs ?? 0);
}

/** Equal values have equal colours, in the order of their first appearance. */
function coloursOf(lanes: readonly Lane[]): Map<string, number> {
  const texts = new Set(lanes.flatMap(({ events }) => events.map(({ text }) => text)));
  return new Map([...texts].map((one, index) => [one, index % 6]));
}

/**
 * Returns the function from time to pixels. A moment is as far from the one before as its marbles need, a
 * long wait is a little longer, and the last moment is at the right.
 */
function timeScale(lanes: readonly Lane[]): (ms: number) => number {
  const widths = new Map<number, number>([[0, 0]]);
  const reserve = (atMs: number, width: number): void => {
    widths.set(atMs, Math.max(width, widths.get(atMs) ?? 0));
  };
  for (const lane of lanes) {
    reserve(lane.fromMs, 0);
    for (const { atMs, text } of lane.events) reserve(atMs, widthOf(text));
    if (lane.end !== undefined) reserve(lane.end.atMs, 4);
  }
  const times = [...widths.keys()].sort((one, other) => one - other);
  const steps = times.map((ms, index) => {
    const before = times[index - 1];
    if (before === undefined) return 0;
    return (widths.get(before)! + widths.get(ms)!) / 2 + GAP + Math.min(24, Math.sqrt(ms - before) * 4);
  });
  const natural = steps.reduce((sum, step) => sum + step, 0);
  const stretch = Math.max(0, NARROWEST - LEFT - RIGHT - natural) / (times.length - 1);
  let x = LEFT - stretch;
  const pixels = new Map(times.map((ms, index) => [ms, (x += steps[index]! + stretch)]));
  return (ms) => pixels.get(ms) ?? x;
}

function widthOf(label: string): number {
  return Math.max(MARBLE, label.length * CHARACTER + 16);
}

function text(x: number, y: number, content: string, style: string): string {
  return `<text class="${style}" x="${round(x)}" y="${round(y)}">${escape(content)}</text>`;
}

function round(pixels: number): number {
  return Math.round(pixels * 10) / 10;
}

function escape(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
