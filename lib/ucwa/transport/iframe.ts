import { Observable, timer } from 'rxjs';
import { NetworkError } from '../../core/errors.ts';
import { readFrameMessage } from './frameMessage.ts';

/** A message that a page gets. */
export interface FrameMessageEvent {
  readonly origin: string;
  readonly source: unknown;
  readonly data: unknown;
}

/** As much of an `iframe` element as is needed. */
export interface FrameElement {
  src: string;
  readonly style: { display: string };
  readonly contentWindow: {
    /** Sends a message to the page, if it is of this origin. */
    postMessage(message: string, targetOrigin: string): void;
  } | null;
  /** Tells when the page is there, or cannot be had. */
  addEventListener(type: 'load' | 'error', listener: () => void): void;
  /** Takes the element out of its document. */
  remove(): void;
}

/** As much of an element as is needed to put a frame into it. */
export interface FrameParent {
  /** Puts the nodes behind what is there. */
  append(...nodes: unknown[]): void;
}

/** As much of a browser's `window` as is needed. */
export interface FrameWindow {
  readonly document: {
    /** Makes an element that is in no document yet. */
    createElement(name: 'iframe'): FrameElement;
    /** Null while the head of the page is being read. */
    readonly body: FrameParent | null;
    readonly documentElement: FrameParent;
  };
  /** Tells of the messages that the window gets. */
  addEventListener(type: 'message', listener: (event: FrameMessageEvent) => void): void;
  /** Tells of them no more. */
  removeEventListener(type: 'message', listener: (event: FrameMessageEvent) => void): void;
}

/** A hidden frame that takes messages. */
interface LoadedFrame {
  /**
   * Returns an Observable that posts the message, emits the one answer with this id, and completes.
   * Unsubscribing takes nothing back: the answer is ignored.
   */
  exchange(messageId: string, message: string): Observable<unknown>;
}

/** Which page is put into a frame, and where. */
interface FrameConfig {
  readonly window: FrameWindow;
  readonly url: string;
  /** Messages come from here and go to here only. */
  readonly origin: string;
  readonly loadTimeoutMs: number;
}

/**
 * Returns an Observable that puts a page into a hidden iframe, emits it when it is loaded, and stays open;
 * the iframe is removed with the subscription.
 *
 * It errors with a {@link NetworkError} when the page cannot be loaded, is not loaded in time, or is loaded
 * anew later, which loses what was being asked. A browser also calls an error page loaded: then there is no
 * answer to anything.
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
      // A frame that was taken out has no window, and neither do some messages: that proves nothing.
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
