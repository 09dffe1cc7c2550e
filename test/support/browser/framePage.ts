import type { FrameElement, FrameMessageEvent, FrameWindow } from '../../../lib/ucwa/transport/iframe.ts';

/** An iframe of a {@link FramePage}. */
export interface PageFrame extends FrameElement {
  readonly attached: boolean;
  /** What was posted to it, and for which origin. */
  readonly posted: { readonly message: Record<string, unknown>; readonly origin: string }[];
  /** Lets it be loaded, or fail. */
  fire(type: 'load' | 'error'): void;
  /** Takes its window away, as happens to a frame that leaves the document. */
  detach(): void;
  /** Posts to the page what it would answer, from its own window and origin, or as told otherwise. */
  answer(data: unknown, event?: Partial<FrameMessageEvent>): void;
}

/** As much of a browser page as frames need. */
export interface FramePage {
  readonly window: FrameWindow;
  /** Every iframe that was ever made. */
  readonly frames: PageFrame[];
  /** How many listen to messages. */
  readonly listening: () => number;
  /** Called with each iframe as it is put into the page. */
  onAppend: (frame: PageFrame) => void;
  /** Whether the body of the page is there yet. */
  hasBody: boolean;
}

/** Makes a page whose frames come from this origin. */
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
