import { map, merge, mergeMap, Subject } from 'rxjs';
import { typeName } from '../core/options.ts';
import { releaseLedger } from '../core/lifecycle/ledger.ts';
import { timerWheel } from '../core/rx/timerWheel.ts';
import { untilClosed } from '../core/lifecycle/closing.ts';
import { application } from './application/application.ts';
import { batching } from './batch/batched.ts';
import { channel } from './channel/channel.ts';
import type { ConnectOptions } from './options.ts';
import { checkParameters, resolveOptions } from './resolveOptions.ts';
import { eventRouter } from './channel/eventRouter.ts';
import { absolute } from './protocol/href.ts';
import type { LiveApplication } from './application/liveApplication.ts';
import { channelRefCount } from './channel/channelRefCount.ts';
import { transportStack } from './transport/stack.ts';
import { requestJson } from './protocol/request.ts';
import { shareLatest } from '../core/rx/shareLatest.ts';
import { mutex } from '../core/rx/mutex.ts';
import { resourceCodec } from './protocol/resource.ts';
import { type Ucwa, type UcwaSession, SESSION, type WithSession } from './session/session.ts';

/** How long the server holds a request for events where it is not told otherwise. [EventChannelDetails] */
const TIMEOUT_SECONDS = 180;

/**
 * Describes a connection to a UCWA server (Skype for Business). Nothing is sent before a subscription.
 *
 * The first subscription creates the application, all share it, and it is deleted after the last has ended and
 * everything on it has been removed. It throws a TypeError that names the option for one that cannot be used.
 * [CreateAnApplication, EventsInUCWA]
 *
 * With a `domain` the first subscription also finds the server and signs in there. What `discover` errors with
 * is an error of the streams then; but hosts that do not answer for now are waited for: as often as `retry`
 * says at first, and without end once there was a connection. A user who has moved to another server is
 * followed there. [RootURL]
 *
 * @example
 * ```ts
 * import { connect, password, presence } from 'rxchange/ucwa';
 * import { ucwaDiscovery, ucwaSimulator } from 'rxchange/testing';
 *
 * const pool = ucwaSimulator({ origin: 'https://lyncweb.contoso.com' });
 * const { transport } = ucwaDiscovery({ users: { 'sara@contoso.com': 'hush' }, pool: pool.transport });
 * const signIn = password({ username: 'sara@contoso.com', password: 'hush' });
 * const ucwa = connect({ domain: 'contoso.com', signIn, transport });
 * const watching = presence(ucwa, { uris: ['sip:john@contoso.com'] }).subscribe();
 * console.log(pool.presenceSubscriptions.map(({ uris }) => uris));
 * // prints: [ [ 'sip:john@contoso.com' ] ]
 * watching.unsubscribe();
 * await ucwa.drain();
 * ```
 *
 * @example
 * ```ts
 * import { take } from 'rxjs';
 * import { connect } from 'rxchange/ucwa';
 * import { ucwaSimulator } from 'rxchange/testing';
 *
 * const server = ucwaSimulator();
 * const ucwa = connect({ applications: server.url, token: 'secret', transport: server.transport });
 * ucwa.events$.pipe(take(1)).subscribe(({ type, link }) => console.log(type, link.rel));
 * server.emit({ type: 'updated', link: { rel: 'missedItems', href: '/missedItems' } });
 * // prints: updated missedItems
 * const { outcomes } = await ucwa.drain();
 * console.log(outcomes.map(({ resource, outcome }) => `${resource} ${outcome}`));
 * // prints: [ 'application Released' ]
 * ```
 */
export function connect(options: ConnectOptions): Ucwa {
  const { source, location, ack, onReplaced, graceMs, retry, onExpelled, backoff, limits, ...plan } =
    resolveOptions(options);
  const { pause, answered, failed } = backoff;
  let { parameters } = plan;
  let live: LiveApplication | undefined;
  const ledger = releaseLedger();
  const { leaving$ } = ledger;
  const { transport, polling } = transportStack({
    ...{
      sending: plan.sending,
      signed: plan.signed,
      pinned: location.pinned,
      noted: location.tracked,
      backoff,
      retry,
      limits,
    },
    together: batching(plan.batch, () => live, limits, { leaving$, answered, failed }),
    heldSeconds: () => parameters.timeoutSeconds ?? TIMEOUT_SECONDS,
  });
  // After the batches, which are to pass when they are flushed.
  leaving$.subscribe(backoff.leave);
  const events = eventRouter();
  const tuned = new Subject<void>();
  const { checkpoint, publication } = plan;
  const contactsTurn$ = mutex();
  const application$ = application({
    ...{ source, location, transport, ledger, graceMs, pause, onExpelled, publication },
    ...{ checkpoint, ack, contactsTurn$, whenUnreachable: plan.whenUnreachable },
    onMade: (made) => (live = made),
  });
  const batches$ = channel({
    ...{ application$, router: events, ack, onReplaced, pause, hasMoved: location.hasMoved },
    transport: polling,
    parameters: () => parameters,
    resend$: merge(tuned, backoff.online$),
  });

  const internals: UcwaSession = {
    application$: application$.pipe(shareLatest(({ isEnded: isOver }) => !isOver)),
    ...{ router: events, channelRefCount: channelRefCount(batches$), timers: timerWheel() },
    ...{ ledger, transport, pause, contactListMutex$: contactsTurn$, hasMoved: location.hasMoved },
    hasCheckpoint: checkpoint !== undefined,
    mediumSeconds: () => parameters.mediumSeconds,
  };
  const connection: WithSession = {
    events$: batches$.pipe(
      mergeMap((batch) => batch.events),
      untilClosed(ledger, 'events$'),
    ),
    batches$: batches$.pipe(untilClosed(ledger, 'batches$')),
    application$: application$.pipe(
      map(({ self, events: href, me, people, resource }) => ({ self, events: href, me, people, resource })),
      untilClosed(ledger, 'application$'),
    ),
    releases: ledger,
    activity$: plan.activity$,
    get: (link) => {
      const href = hrefOption(link);
      return location.url$.pipe(
        mergeMap((base) =>
          requestJson(transport, { method: 'GET', url: absolute(href, base) }, resourceCodec, 'resource'),
        ),
        map(({ value }) => value),
        untilClosed(ledger, 'get'),
      );
    },
    tune: (changed) => {
      checkParameters(changed);
      parameters = { ...parameters, ...changed };
      tuned.next();
    },
    drain: (options) => ledger.drain(options),
    close: (options) => ledger.close(options),
    [Symbol.asyncDispose]: () => ledger[Symbol.asyncDispose](),
    [SESSION]: () => internals,
  };
  return connection;
}

/** Callers without types pass the href itself. */
function hrefOption(link: unknown): string {
  if (typeof link === 'object' && link !== null && 'href' in link && typeof link.href === 'string')
    return link.href;
  throw new TypeError(`link must be an object with an href, such as event.link, but it is ${typeName(link)}`);
}
