/** The part of time that the diagram shows. */
export interface TimeWindow {
  /** In milliseconds. */
  readonly spanMs: number;
  /** The right edge; undefined follows the clock. */
  readonly until?: number | undefined;
}

export const SPANS: readonly number[] = [5_000, 15_000, 60_000, 300_000];
export const FOLLOWING: TimeWindow = { spanMs: 15_000 };

/** Something that a person does with the window. */
export type TimeInput =
  'pause' | 'follow' | 'back' | 'forward' | 'narrower' | 'wider' | { readonly by: number };

/** Returns the window after an input: a pure function. A window that reaches the present follows it. */
export function windowAfter(before: TimeWindow, input: TimeInput, now: number): TimeWindow {
  const { spanMs, until = now } = before;
  if (typeof input === 'object') return moved(spanMs, until + input.by, now);
  switch (input) {
    case 'pause':
      return { spanMs, until };
    case 'follow':
      return { spanMs };
    case 'back':
      return moved(spanMs, until - spanMs / 4, now);
    case 'forward':
      return moved(spanMs, until + spanMs / 4, now);
    case 'narrower':
      return { ...before, spanMs: [...SPANS].reverse().find((one) => one < spanMs) ?? spanMs };
    case 'wider':
      return { ...before, spanMs: SPANS.find((one) => one > spanMs) ?? spanMs };
  }
}

function moved(spanMs: number, until: number, now: number): TimeWindow {
  return until >= now ? { spanMs } : { spanMs, until };
}

/** Returns the times at which the axis has a tick, and their distance. */
export function ticks(
  from: number,
  until: number,
  width: number,
): { readonly step: number; readonly at: readonly number[] } {
  const most = Math.max(2, Math.floor(width / 90));
  const span = until - from;
  const step =
    [500, 1000, 2000, 5000, 10_000, 30_000, 60_000, 120_000].find((one) => span / one <= most) ?? 300_000;
  const first = Math.ceil(from / step) * step;
  return {
    step,
    at: Array.from(
      { length: Math.max(0, Math.floor((until - first) / step) + 1) },
      (_, index) => first + index * step,
    ),
  };
}
