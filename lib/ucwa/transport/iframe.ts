import { Observable, timer } from 'rxjs';
import { NetworkError } from '../../core/errors.ts';
import type { HttpRequest } from '../../core/transport/transport.ts';
import { type Codec, number, objectCodec, string } from '../../core/codec.ts';

/** A message that a page gets. */
export interface FrameMessageEvent {
  readonly origin: string;
  readonly source: unknown;
  readonly data: unknown;
}

/** The members of an `iframe` element that are used. */
export interface FrameElement {
  src: string;
  readonly style: { display: string };
  readonly contentWindow: {
    /** Sends a message to the page, if it is of this origin. */
    postMessage(message: string, targetOrigin: string): void;
  } | null;
  /** Registers a listener for the end of loading, or for its failure. */
  addEventListener(type: 'load' | 'error', listener: () => void): void;
  /** Removes the element from its document. */
  remove(): void;
}

/** The members of the frame's parent element that are used. */
export interface FrameParent {
  /** Appends nodes to the element. */
  append(...nodes: unknown[]): void;
}

/** The members of a browser's `window` that are used. */
export interface FrameWindow {
  readonly document: {
    /** Creates an element that is not in the document yet. */
    createElement(name: 'iframe'): FrameElement;
    /** Null while the head of the page is being read. */
    readonly body: FrameParent | null;
    readonly documentElement: FrameParent;
  };
  /** Registers a listener for messages to the window. */
  addEventListener(type: 'message', listener: (event: FrameMessageEvent) => void): void;
  /** Removes a listener. */
  removeEventListener(type: 'message', listener: (event: FrameMessageEvent) => void): void;
}

/** A hidden frame that accepts messages. */
interface LoadedFrame {
  /**
   * Returns an Observable that posts the message, emits the response with this id, and completes.
   * Unsubscribing does not abort the request; its response is ignored.
   */
  exchange(messageId: string, message: string): Observable<unknown>;
}

/** The options of {@link hiddenFrame}. */
interface FrameConfig {
  readonly window: FrameWindow;
  readonly url: string;
  /** The only origin that messages may come from and go to. */
  readonly origin: string;
  readonly loadTimeoutMs: number;
}

/**
 * Returns an Observable that loads a page in a hidden iframe, and emits the frame.
 *
 * It stays open; unsubscribing removes the iframe.
 *
 * It errors with a {@link NetworkError} if the page cannot be loaded in time, or is loaded again later, which
 * loses outstanding requests. Browsers report an error page as loaded, too: requests then get no response.
 */
export function hiddenFrame({ window, url, origin, loadTimeoutMs }: FrameConfig): Observable<LoadedFrame> {
  return new Observable((subscriber) => {
    const { document } = window;
    const frame = document.createElement('iframe');
    const answersById = new Map<string, (answer: unknown) => void>();
    const failure = (what: string): NetworkError => new NetworkError(what, { method: 'GET', url });

    const loaded: LoadedFrame = {
      exchange: (messageId, message) =>
        new Observable((asking) => {
          answersById.set(messageId, (answer) => {
            asking.next(answer);
            asking.complete();
          });
          asking.add(() => answersById.delete(messageId));
          const { contentWindow } = frame;
          if (contentWindow === null) asking.error(failure('the frame was taken out of the page'));
          else contentWindow.postMessage(message, origin);
        }),
    };
    const fail = (what: string): void => subscriber.error(failure(what));
    const loading = timer(loadTimeoutMs).subscribe(() => fail('the frame did not load in time'));
    const onLoad = (): void => {
      if (loading.closed) {
        fail('the frame was loaded anew');
      } else {
        loading.unsubscribe();
        subscriber.next(loaded);
      }
    };
    const onMessage = (event: FrameMessageEvent): void => {
      // A removed frame has no window, and neither do some messages: two nulls are no match.
      if (event.source === null || event.source !== frame.contentWindow || event.origin !== origin) return;
      const message = readFrameMessage(event.data);
      if (message !== undefined) answersById.get(message.messageId)?.(message.answer);
    };

    subscriber.add(() => {
      loading.unsubscribe();
      window.removeEventListener('message', onMessage);
      frame.remove();
    });
    window.addEventListener('message', onMessage);
    frame.addEventListener('load', onLoad);
    frame.addEventListener('error', () => fail('the frame could not be loaded'));
    frame.style.display = 'none';
    frame.src = url;
    (document.body ?? document.documentElement).append(frame);
  });
}

/**
 * The response to a request, as the frame reports it.
 *
 * @see [MS-UCWA] Cross_domainIFRAME
 */
export interface FrameAnswer {
  /** 0 if there was no response. */
  readonly status: number;
  readonly responseText?: string;
  /** The header lines, unparsed. */
  readonly headers?: string;
}

/** Decodes a {@link FrameAnswer}; texts that are null or have another type are omitted. */
export const FrameAnswer: Codec<FrameAnswer> = objectCodec('answer', {
  required: { status: number },
  optional: { responseText: string, headers: string },
});

/** A message of the frame, before its answer is checked. */
interface FrameMessage {
  readonly messageId: string;
  readonly answer: unknown;
}

/**
 * Returns a request as the JSON text that the frame expects.
 *
 * The verb, URL and body are unchanged, and `processData: false` keeps the frame from changing the body.
 *
 * @see [MS-UCWA] Cross_domainIFRAME
 */
export function writeFrameMessage(request: HttpRequest, messageId: string): string {
  const { method, url, headers = {}, body, credentials } = request;
  const { accept, 'content-type': contentType, ...others } = headers;
  // JSON omits undefined properties.
  return JSON.stringify({
    ...{ type: method, url, accepts: accept, contentType, headers: others, data: body },
    processData: false,
    xhrFields: credentials === 'include' ? { withCredentials: true } : undefined,
    messageId,
  });
}

/** Returns the message that the frame has posted; undefined if it answers no request. */
export function readFrameMessage(data: unknown): FrameMessage | undefined {
  const answer = typeof data === 'string' ? parsed(data) : data;
  if (typeof answer !== 'object' || answer === null || !('messageId' in answer)) return undefined;
  const { messageId } = answer;
  return typeof messageId === 'string' ? { messageId, answer } : undefined;
}

function parsed(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return undefined;
  }
}
