import { drawLane, type Frame, markNear } from './drawLane.ts';
import type { Lane, Mark } from '../view/lane.ts';
import { type Palette, paletteOf } from './palette.ts';
import { ticks, type TimeWindow } from '../view/timeWindow.ts';

/** The input of the diagram. */
export interface DiagramState {
  readonly lanes: ReadonlyMap<string, Lane>;
  readonly window: TimeWindow;
  /** The mark that has the pointer or the focus. */
  readonly shown?: { readonly stream: string; readonly mark: Mark } | undefined;
}

/** Draws canvases once per frame, and only those that can have changed. */
export interface Diagram {
  /** Adds the canvas of a lane, or of the axis for `undefined`; removes it if `canvas` is null. */
  readonly attach: (stream: string | undefined, canvas: HTMLCanvasElement | null) => void;
  readonly markAt: (stream: string, clientX: number) => Mark | undefined;
  /** Returns the milliseconds that a number of pixels stands for. */
  readonly msOf: (pixels: number) => number;
  /** Reads the colours again. */
  readonly refresh: () => void;
  readonly stop: () => void;
}

const AXIS = Symbol('axis');
/** With reduced motion, the diagram moves once in this time. */
const STEP_MS = 1000;

/** Creates a diagram that draws itself until it is stopped. */
export function createDiagram(root: HTMLElement, state: () => DiagramState, clock: () => number): Diagram {
  const canvases = new Map<string | symbol, HTMLCanvasElement>();
  const sizes = new Map<HTMLCanvasElement, { width: number; height: number }>();
  const calm = matchMedia('(prefers-reduced-motion: reduce)');
  const dark = matchMedia('(prefers-color-scheme: dark)');
  let palette: Palette | undefined;
  let drawn: { readonly state: DiagramState; readonly until: number } | undefined;
  let request = 0;

  const resized = new ResizeObserver((entries) => {
    for (const { target, contentRect } of entries) {
      const canvas = target as HTMLCanvasElement;
      const { width, height } = contentRect;
      sizes.set(canvas, { width, height });
      canvas.width = Math.round(width * devicePixelRatio);
      canvas.height = Math.round(height * devicePixelRatio);
    }
    // At once: a new size has cleared the canvas.
    drawn = undefined;
    draw();
  });
  const refresh = (): void => {
    palette = undefined;
    drawn = undefined;
  };
  dark.addEventListener('change', refresh);

  const frameOf = (canvas: HTMLCanvasElement): Frame | undefined => {
    const size = sizes.get(canvas);
    if (size === undefined || size.width === 0) return undefined;
    const { spanMs, until = now() } = state().window;
    return { from: until - spanMs, until, now: Math.min(now(), until), ...size };
  };
  const now = (): number => (calm.matches ? Math.ceil(clock() / STEP_MS) * STEP_MS : clock());

  const draw = (): void => {
    const current = state();
    const until = current.window.until ?? now();
    if (
      drawn?.until === until &&
      drawn.state.lanes === current.lanes &&
      drawn.state.shown === current.shown
    ) {
      if (drawn.state.window === current.window) return;
    }
    drawn = { state: current, until };
    palette ??= paletteOf(root);
    for (const [key, canvas] of canvases) {
      const frame = frameOf(canvas);
      const context = canvas.getContext('2d');
      if (frame === undefined || context === null) continue;
      context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
      if (typeof key === 'symbol') drawAxis(context, frame, palette);
      else {
        const lane = current.lanes.get(key);
        const mark = current.shown?.stream === key ? current.shown.mark : undefined;
        if (lane !== undefined) drawLane(context, lane, frame, palette, mark);
      }
    }
  };
  const frame = (): void => {
    request = requestAnimationFrame(frame);
    draw();
  };
  frame();

  return {
    attach: (stream, canvas) => {
      const key = stream ?? AXIS;
      const before = canvases.get(key);
      if (before === canvas) return;
      if (before !== undefined) {
        resized.unobserve(before);
        sizes.delete(before);
        canvases.delete(key);
      }
      if (canvas === null) return;
      canvases.set(key, canvas);
      resized.observe(canvas);
    },
    markAt: (stream, clientX) => {
      const canvas = canvases.get(stream);
      const frame = canvas === undefined ? undefined : frameOf(canvas);
      const lane = state().lanes.get(stream);
      if (canvas === undefined || frame === undefined || lane === undefined) return undefined;
      return markNear(lane.marks, clientX - canvas.getBoundingClientRect().left, frame);
    },
    msOf: (pixels) => {
      const width = sizes.values().next().value?.width ?? 1000;
      return (pixels / width) * state().window.spanMs;
    },
    refresh,
    stop: () => {
      cancelAnimationFrame(request);
      resized.disconnect();
      dark.removeEventListener('change', refresh);
    },
  };
}

function drawAxis(context: CanvasRenderingContext2D, frame: Frame, palette: Palette): void {
  context.clearRect(0, 0, frame.width, frame.height);
  context.font = '11px system-ui, sans-serif';
  context.fillStyle = palette.quiet;
  context.strokeStyle = palette.line;
  context.lineWidth = 1;
  context.textBaseline = 'middle';
  context.textAlign = 'center';
  const { step, at } = ticks(frame.from, frame.until, frame.width);
  for (const one of at) {
    const x = ((one - frame.from) / (frame.until - frame.from)) * (frame.width - 18) + 4.5;
    context.beginPath();
    context.moveTo(x, 0);
    context.lineTo(x, 5);
    context.stroke();
    if (x > 28 && x < frame.width - 28) context.fillText(timeText(one, step < 1000), x, 15);
  }
}

/** Returns a time of day, such as `09:41:05`. */
export function timeText(at: number, withTenths: boolean): string {
  const date = new Date(at);
  const two = (value: number): string => String(value).padStart(2, '0');
  const tenths = withTenths ? `.${Math.floor(date.getMilliseconds() / 100)}` : '';
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}${tenths}`;
}
