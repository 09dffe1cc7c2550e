import { defer, finalize, map, merge, mergeMap, type Observable, of, Subject, tap } from 'rxjs';
import type { StatusTracker } from '../core/connectionStatus.ts';
import { invalidType, objectOption } from '../core/options.ts';
import { releaseLedger } from '../core/lifecycle/ledger.ts';
import { sharedValues } from '../core/sharedValues.ts';
import { suspension } from '../core/lifecycle/suspension.ts';
import { timerWheel } from '../core/rx/timerWheel.ts';
import { untilClosed } from '../core/lifecycle/closing.ts';
import { application } from './application/application.ts';
import { channel, channelRefCount } from './channel/channel.ts';
import type { UcwaOptions } from './options.ts';
import { resolveOptions } from './resolveOptions.ts';
import { eventRouter } from './channel/eventRouter.ts';
import { PARAMETER_RANGES } from './protocol/cursor.ts';
import { absolute } from './protocol/href.ts';
import type { LiveApplication } from './application/liveApplication.ts';
import { transportStack } from './transport/stack.ts';
import { requestJson } from './protocol/request.ts';
import { shareLatest } from '../core/rx/shareLatest.ts';
import { mutex } from '../core/rx/mutex.ts';
import { resourceCodec } from './protocol/resource.ts';
import { type Ucwa, type UcwaSession, SESSION, type WithSession } from './session/session.ts';

/** The server's own default for how long it holds a request for events. */
const TIMEOUT_SECONDS = 180;

/**
 * Creates a connection to a UCWA server, such as Skype for Business. Nothing is sent before a subscription.
 *
 * The first subscription creates the application, and all share it. It is deleted after the last subscription
 * has ended and everything on it was removed.
 *
 * @throws TypeError that names the option that cannot be used.
 * @see [MS-UCWA] CreateAnApplication, EventsInUCWA
 *
 * @example
 * ```ts
 * import { bearer } from 'rxchange';
 * import { connectUcwa, presence } from 'rxchange/ucwa';
 * import { ucwaSimulator } from 'rxchange/testing';
 *
 * const server = ucwaSimulator();
 * const { url, transport } = server;
 * const ucwa = connectUcwa({ server: url, auth: bearer('secret'), transport });
 * const watching = presence(ucwa, { uris: ['sip:sara@contoso.com'] }).subscribe();
 * console.log(server.presenceSubscriptions.map(({ uris }) => uris));
 * // prints: [ [ 'sip:sara@contoso.com' ] ]
 * watching.unsubscribe();
 * const { outcomes } = await ucwa.drain();
 * console.log(outcomes.map(({ resource, outcome }) => `${resource} ${outcome}`));
 * // prints: [ 'presenceSubscription Released', 'application Released' ]
 * ```
 */
export function connectUcwa(options: UcwaOptions): Ucwa {
  const {
    location,
    ack,
    onPGetReplaced,
    retry,
    backoff,
    limits,
    sign,
    base,
    checkpointing,
    status,
    ...plan
  } = resolveOptions(options);
  const { pause, answered, failed } = backoff;
  let { parameters } = plan;
  let live: LiveApplication | undefined;
  const ledger = releaseLedger();
  const suspending = suspension(ledger);
  const { transport, polling } = transportStack({
    ...{ base, sign, backoff, retry, limits },
    restrict: location.pinned,
    track: location.tracked,
    batch: plan.batch(() => live, limits, { flushed$: ledger.flushed$, answered, failed }),
    pollSeconds: () => parameters.timeoutSeconds ?? TIMEOUT_SECONDS,
  });
  // After the batches, which the backoff lets pass when they are flushed.
  suspending.attach(backoff);
  ledger.closing$.subscribe(() => status.record({ type: 'closed' }));
  const events = eventRouter();
  const changed = new Subject<void>();
  const contactListMutex$ = mutex();
  const application$ = application({
    ...{ location, transport, ledger, suspension: suspending, pause, checkpointing, ack, contactListMutex$ },
    identity: plan.identity,
    graceMs: plan.graceMs,
    onApplicationEnded: plan.onApplicationEnded,
    whenUnreachable: plan.whenUnreachable,
    publish: plan.publish,
    onMade: (made) => (live = made),
  });
  const batches$ = channel({
    ...{
      status,
      application$,
      router: events,
      suspended$: suspending.suspended$,
      ack,
      onPGetReplaced,
      pause,
      hasMoved: location.hasMoved,
    },
    transport: polling,
    parameters: () => parameters,
    resend$: merge(changed, backoff.online$),
    check: (url) => (backoff.outage.failures > 0 ? transport({ method: 'GET', url }) : of(undefined)),
  });

  const internals: UcwaSession = {
    application$: application$.pipe(shareLatest(({ isEnded: isOver }) => !isOver)),
    ...{ router: events, channelRefCount: channelRefCount(batches$), timers: timerWheel() },
    shared: sharedValues(),
    ...{
      ledger,
      status,
      suspension: suspending,
      transport,
      pause,
      contactListMutex$,
      hasMoved: location.hasMoved,
    },
    checkpointing,
    mediumSeconds: () => parameters.mediumSeconds,
  };
  const connection: WithSession = {
    events$: batches$.pipe(
      mergeMap((batch) => batch.events),
      untilClosed(ledger, 'events$'),
    ),
    batches$: batches$.pipe(untilClosed(ledger, 'batches$')),
    status$: status.status$,
    application$: tracked(status, application$).pipe(
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
    setChannelParameters: (some) => {
      parameters = { ...parameters, ...objectOption('parameters', some, PARAMETER_RANGES) };
      changed.next();
    },
    drain: (options) => ledger.drain(options),
    close: (options) => ledger.close(options),
    suspend: suspending.suspend,
    resume: suspending.resume,
    [Symbol.asyncDispose]: () => ledger[Symbol.asyncDispose](),
    [SESSION]: () => internals,
  };
  return connection;
}

/** A stream that is current when it has emitted. */
function tracked<Value>({ begin }: StatusTracker, source$: Observable<Value>): Observable<Value> {
  return defer(() => {
    const report = begin();
    return source$.pipe(
      tap(() => report('current')),
      finalize(() => report(undefined)),
    );
  });
}

/** Callers without types pass the href itself. */
function hrefOption(link: unknown): string {
  if (typeof link === 'object' && link !== null && 'href' in link && typeof link.href === 'string')
    return link.href;
  throw invalidType('link', link, 'an object with an href, such as event.link');
}
