import { concat, defer, finalize, ignoreElements, type Observable, share, tap, throwError } from 'rxjs';
import { ClosedError } from '../../core/errors.ts';
import { secretIn } from './callbackSecret.ts';
import { type PushRequest, retryLater } from './pushRequest.ts';
import { pushSender, type PushSender } from './sender.ts';

/** Routes each post to the line of its sender, by the secret in its URL. */
export interface PushRouter {
  /**
   * Returns a line of its own for the posts with a secret. Without a secret: the line for all posts whose
   * secret is not in use, if they have one.
   */
  senderFor(secret: string | undefined): PushSender;
}

/** How many posts without a secret in use may be under way at the same time. */
export const MAX_UNKNOWN = 32;

/** How many posts with one secret may be: a server sends one after another, but may repeat one that it lost. */
const MOST_KNOWN = 3;

/**
 * How many bytes a post without a secret in use may have, so that strangers cannot fill the memory. The 50 events of
 * one notification need about half of them at most.
 */
const MOST_UNKNOWN_BYTES = 131_072;

const ROUTERS = new WeakMap<Observable<PushRequest>, PushRouter>();

/**
 * Returns the router of an Observable of notifications: the same one to all that subscribe with it.
 *
 * @param maxUnknown How many posts without a secret in use may be under way at the same time. The first call
 * decides. @default 32
 */
export function routerOf(incoming$: Observable<PushRequest>, maxUnknown: number = MAX_UNKNOWN): PushRouter {
  const known = ROUTERS.get(incoming$);
  if (known !== undefined) return known;
  const router = pushRouter(incoming$, maxUnknown);
  ROUTERS.set(incoming$, router);
  return router;
}

function pushRouter(incoming$: Observable<PushRequest>, maxUnknown: number): PushRouter {
  const lines = new Map<string, PushSender>();

  const receive = (notification: PushRequest): void => {
    const { url, respond } = notification;
    if (url === undefined && lines.size > 0) {
      respond(retryLater('The adapter does not give the URL.'));
      throw new TypeError(
        'incoming must give the url of each notification, because it names the subscription by a secret: ' +
          'add url to what the adapter emits, or subscribe with callbackSecret: false',
      );
    }
    const secret = secretIn(url?.() ?? '');
    // A Map is safe here: how long it takes to miss does not tell a part of a random key of 128 bits.
    const line = secret === undefined ? undefined : lines.get(secret);
    (line ?? strangers).receive(notification);
  };

  const arrivals$ = concat(
    incoming$.pipe(tap(receive), ignoreElements()),
    throwError(() => new ClosedError('What is notified by push')),
  ).pipe(share());

  const strangers = pushSender(arrivals$, maxUnknown, MOST_UNKNOWN_BYTES);

  const lineOf = (secret: string): PushSender => {
    const listed$ = defer(() => {
      lines.set(secret, line);
      return arrivals$;
    }).pipe(
      finalize(() => lines.delete(secret)),
      share(),
    );
    const line = pushSender(listed$, MOST_KNOWN);
    return line;
  };

  return { senderFor: (secret) => (secret === undefined ? strangers : lineOf(secret)) };
}
