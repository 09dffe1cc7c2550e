import type { FrameElement, FrameMessageEvent, FrameWindow } from '../../../lib/ucwa/transport/iframe.ts';

/** An iframe of a {@link FramePage}. */
export interface PageFrame extends FrameElement {
  readonly attached: boolean;
  /** The messages posted to it, with their target origins. */
  readonly posted: { readonly message: Record<string, unknown>; readonly origin: string }[];
  /** Fires its `load` or `error` event. */
  fire(type: 'load' | 'error'): void;
  /** Removes its window, as when a frame is removed from the document. */
  detach(): void;
  /** Posts a message to the page, from its own window and origin unless `event` has others. */
  answer(data: unknown, event?: Partial<FrameMessageEvent>): void;
}

/** The parts of a browser page that frames use. */
export interface FramePage {
  readonly window: FrameWindow;
  /** Every iframe ever created. */
  readonly frames: PageFrame[];
  /** The number of message listeners. */
  readonly listening: () => number;
  /** Called with each iframe when it is appended. */
  onAppend: (frame: PageFrame) => void;
  /** Whether the page already has a body. */
  hasBody: boolean;
}

/** Creates a page whose frames have this origin. */
export function framePage(origin: string): FramePage {
  const listeners = new Set<(event: FrameMessageEvent) => void>();
  const frames: PageFrame[] = [];
  const append = (...nodes: unknown[]): void => {
    for (const frame of frames.filter((one) => nodes.includes(one))) {
      Object.assign(frame, { attached: true });
      page.onAppend(frame);
    }
  };
  const page: FramePage = {
    window: {
      document: {
        createElement: () => {
          const frame = pageFrame(origin, listeners);
          frames.push(frame);
          return frame;
        },
        get body() {
          return page.hasBody ? { append } : null;
        },
        documentElement: { append },
      },
      addEventListener: (_, listener) => listeners.add(listener),
      removeEventListener: (_, listener) => listeners.delete(listener),
    },
    frames,
    listening: () => listeners.size,
    onAppend: () => undefined,
    hasBody: true,
  };
  return page;
}

function pageFrame(origin: string, listeners: ReadonlySet<(event: FrameMessageEvent) => void>): PageFrame {
  const own = { load: [] as (() => void)[], error: [] as (() => void)[] };
  const posted: PageFrame['posted'] = [];
  const contentWindow = {
    postMessage: (message: string, target: string): void => {
      posted.push({ message: JSON.parse(message) as Record<string, unknown>, origin: target });
    },
  };
  const frame = {
    ...{ src: '', style: { display: '' }, attached: false, posted },
    contentWindow: contentWindow as PageFrame['contentWindow'],
    addEventListener: (type: 'load' | 'error', listener: () => void) => own[type].push(listener),
    remove: () => {
      frame.attached = false;
    },
    detach: () => {
      frame.contentWindow = null;
    },
    fire: (type: 'load' | 'error') => own[type].forEach((listener) => listener()),
    answer: (data: unknown, event: Partial<FrameMessageEvent> = {}) => {
      const text = typeof data === 'string' ? data : JSON.stringify(data);
      for (const listener of [...listeners])
        listener({ data: text, origin, source: contentWindow, ...event });
    },
  };
  return frame;
}
