import {
  concat,
  defer,
  finalize,
  identity,
  ignoreElements,
  type Observable,
  share,
  tap,
  throwError,
} from 'rxjs';
import { ClosedError } from '../../core/errors.ts';
import { secretIn } from './callbackSecret.ts';
import { type PushRequest, retryLater } from './pushRequest.ts';
import { pushSender, type PushSender } from './sender.ts';

/** Routes each post to its sender, by the secret in the URL. */
export interface PushRouter {
  /**
   * Creates the sender of the posts with a secret.
   *
   * Without a secret it returns the one sender of all other posts: those with an unknown secret, or none.
   *
   * @param log Called with each post with the secret; returns the post that is read. @default no log
   */
  senderFor(secret: string | undefined, log?: (post: PushRequest) => PushRequest): PushSender;
}

/** The default number of concurrent posts with an unknown secret, or none. */
export const MAX_UNKNOWN = 32;

/** Concurrent posts with one secret: a server sends them one by one, but may repeat one that it lost. */
const MAX_KNOWN = 3;

/**
 * The size of a post with an unknown secret, or none, so that strangers cannot fill the memory.
 *
 * A notification of 50 events needs about half of it.
 */
const MAX_UNKNOWN_BYTES = 131_072;

const ROUTERS = new WeakMap<Observable<PushRequest>, PushRouter>();

/**
 * Returns the router of an Observable of posts: one for all subscriptions that use it.
 *
 * @param maxUnknown The number of concurrent posts with an unknown secret, or none, set by the first call.
 * @default 32
 */
export function routerOf(incoming$: Observable<PushRequest>, maxUnknown: number = MAX_UNKNOWN): PushRouter {
  const known = ROUTERS.get(incoming$);
  if (known !== undefined) return known;
  const router = pushRouter(incoming$, maxUnknown);
  ROUTERS.set(incoming$, router);
  return router;
}

function pushRouter(incoming$: Observable<PushRequest>, maxUnknown: number): PushRouter {
  const bySecret = new Map<string, Pick<PushSender, 'receive'>>();

  const receive = (post: PushRequest): void => {
    const { url, respond } = post;
    if (url === undefined && bySecret.size > 0) {
      respond(retryLater('The adapter does not give the URL.'));
      throw new TypeError(
        'incoming must give the url of each notification, because it names the subscription by a secret: ' +
          'add url to what the adapter emits, or subscribe with callbackSecret: false',
      );
    }
    const secret = secretIn(url?.() ?? '');
    // The time of a Map lookup reveals nothing useful about a random key of 128 bits.
    const sender = secret === undefined ? undefined : bySecret.get(secret);
    (sender ?? unknownSender).receive(post);
  };

  const arrivals$ = concat(
    incoming$.pipe(tap(receive), ignoreElements()),
    throwError(() => new ClosedError('What is notified by push')),
  ).pipe(share());

  const unknownSender = pushSender(arrivals$, maxUnknown, MAX_UNKNOWN_BYTES);

  const createSender = (secret: string, log: (post: PushRequest) => PushRequest): PushSender => {
    const registered$ = defer(() => {
      bySecret.set(secret, { receive: (post) => sender.receive(log(post)) });
      return arrivals$;
    }).pipe(
      finalize(() => bySecret.delete(secret)),
      share(),
    );
    const sender = pushSender(registered$, MAX_KNOWN);
    return sender;
  };

  return {
    senderFor: (secret, log = identity) => (secret === undefined ? unknownSender : createSender(secret, log)),
  };
}
