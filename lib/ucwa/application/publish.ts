import {
  catchError,
  concat,
  defer,
  EMPTY,
  exhaustMap,
  ignoreElements,
  map,
  mergeMap,
  type Observable,
  of,
  retry,
  takeUntil,
  tap,
  throwError,
  timer,
} from 'rxjs';
import { HttpError } from '../../core/errors.ts';
import { feature, type Feature } from '../../core/feature.ts';
import {
  choiceOption,
  invalidOption,
  numberOption,
  objectOption,
  type OptionNames,
} from '../../core/options.ts';
import type { Transport } from '../../core/transport/transport.ts';
import { decide } from '../protocol/failures.ts';
import { probeApplication, linkOf, type LiveApplication } from './liveApplication.ts';
import type { Pause } from '../../core/backoff/backoff.ts';
import { retryTransient } from '../transport/backoff.ts';
import { requestJson, requestNothing } from '../protocol/request.ts';
import { hrefOf, resourceCodec } from '../protocol/resource.ts';

/** Options of {@link publishing}. @inline */
export interface PublishOptions {
  /** The initial presence of the user. @default the server's, `Online` */
  readonly availability?: 'Online' | 'Busy' | 'DoNotDisturb' | 'BeRightBack' | 'Away' | 'Offwork';
  /**
   * The invitations to receive as events. Servers are documented to refuse all but `PhoneAudio` and
   * `Messaging`.
   * @default the server's, none
   */
  readonly supportedModalities?: readonly (
    | 'Audio'
    | 'Video'
    | 'PhoneAudio'
    | 'ApplicationSharing'
    | 'Messaging'
    | 'DataCollaboration'
    | 'PanoramicVideo'
  )[];
  /** The message formats that the user can read. @default the server's, `Plain` */
  readonly supportedMessageFormats?: readonly ('Plain' | 'Html')[];
  /**
   * How often the user's activity is reported, in minutes from 1 to 4. Without reports the server shows the
   * user as less and less available.
   * @default 3
   */
  readonly activityMinutes?: number;
}

const NAMES: OptionNames<PublishOptions> = {
  availability: 1,
  supportedModalities: 1,
  supportedMessageFormats: 1,
  activityMinutes: 1,
};

/** The option `publish` of a connection: see {@link publishing}. */
export interface Publishing {
  /** How often activity is reported, in minutes. */
  readonly activityMinutes: number;
}

/** Publishes the user's presence on an application while subscribed. */
export type Publish = (
  application: LiveApplication,
  connection: { readonly transport: Transport; readonly pause: Pause },
) => Observable<never>;

/** The feature of {@link publishing}. */
export const PUBLISHING: Feature<Publish> = /* @__PURE__ */ feature("publishing() from 'rxchange/ucwa'");

/** The presence to publish, and the interval of activity reports. */
interface Publication {
  /** The body of `makeMeAvailable`. */
  readonly body: object;
  readonly activityMinutes: number;
}

const AVAILABILITIES = ['Online', 'Busy', 'DoNotDisturb', 'BeRightBack', 'Away', 'Offwork'] as const;
const LISTS = {
  supportedModalities: [
    ...['Audio', 'Video', 'PhoneAudio', 'ApplicationSharing', 'Messaging', 'DataCollaboration'],
    'PanoramicVideo',
  ],
  supportedMessageFormats: ['Plain', 'Html'],
};

const MAKE = 'makeMeAvailable';
const REPORT = 'reportMyActivity';

/**
 * Returns the option `publish` of a connection: it makes the user available.
 *
 * Others see the user as available while the connection is used. Streams error if the server refuses it.
 *
 * @throws TypeError that names the option that cannot be used.
 * @see [MS-UCWA] makeMeAvailable, reportMyActivity
 *
 * @example
 * ```ts
 * import { bearer } from 'rxchange';
 * import { connectUcwa, publishing } from 'rxchange/ucwa';
 * import { ucwaSimulator } from 'rxchange/testing';
 *
 * const { url, transport } = ucwaSimulator();
 * const publish = publishing({ availability: 'Busy' });
 * const ucwa = connectUcwa({ server: url, auth: bearer('secret'), transport, publish });
 * ucwa.activity$.subscribe(({ method, path }) => console.log(method, path.split('/').at(-1)));
 * ucwa.application$.subscribe();
 * // prints: POST applications
 * // prints: POST makeMeAvailable
 * await ucwa.close();
 * // prints: DELETE 101
 * ```
 */
export function publishing(options: PublishOptions = {}): Publishing {
  const { availability, activityMinutes = 3 } = objectOption('options', options, NAMES);
  if (availability !== undefined) choiceOption('availability', availability, AVAILABILITIES);
  const lists = Object.entries(LISTS).flatMap(([name, words]) => {
    const list: unknown = options[name as keyof typeof LISTS];
    if (list === undefined) return [];
    if (!Array.isArray(list)) throw invalidOption(name, list, 'a list of words');
    list.forEach((word: unknown, index) => choiceOption(`${name}[${index}]`, word, words));
    return [[name, list] as const];
  });
  const publication: Publication = {
    body: {
      ...(availability === undefined ? {} : { signInAs: availability }),
      ...Object.fromEntries(lists),
    },
    activityMinutes: numberOption('activityMinutes', activityMinutes, { min: 1, max: 4 }),
  };
  return PUBLISHING.create({ activityMinutes }, (application, connection) =>
    published(application, publication, connection),
  );
}

/**
 * Returns an Observable that makes the user available on an application, and reports activity.
 *
 * It never emits. A user whose `me` has no `makeMeAvailable` link is already available. It errors if the
 * server refuses either request; transient failures are retried.
 *
 * @see [MS-UCWA] makeMeAvailable, reportMyActivity
 */
function published(
  application: LiveApplication,
  publication: Publication,
  connection: { readonly transport: Transport; readonly pause: Pause },
): Observable<never> {
  const { me, self, ended$: over$ } = application;
  const { transport, pause } = connection;
  const { body, activityMinutes } = publication;
  const activityMs = activityMinutes * 60_000;
  let making = hrefOf(me, MAKE);
  let isRequired = false;
  let reporting = hrefOf(me, REPORT);

  // Both requests are idempotent.
  const post = (name: string, url: string, content: object | undefined): Observable<void> => {
    const request = { method: 'POST', url, idempotent: true };
    return requestNothing(transport, content === undefined ? request : { ...request, body: content }, name);
  };

  const me$ = defer(() =>
    requestJson(transport, { method: 'GET', url: linkOf(me, 'self', self) }, resourceCodec, 'me'),
  );

  // The `me` of an available user has no such link, but the server may still require the request.
  const toMake$ = defer(() =>
    making === undefined && (isRequired || hrefOf(me, 'self') === undefined)
      ? me$.pipe(map(({ value, url }) => (making = hrefOf(value, MAKE) && linkOf(value, MAKE, url))))
      : of(making),
  );

  const available$ = toMake$.pipe(
    mergeMap((url) => (url === undefined ? EMPTY : post(MAKE, url, body))),
    retryTransient('channel', pause),
    catchError((error: unknown) =>
      isConflict(error, 'AlreadyExists') ? of(undefined) : throwError(() => error),
    ),
  );

  // Some servers add this link only after the user is available.
  const report$ = defer(() => (reporting === undefined ? toReport$ : of(reporting))).pipe(
    mergeMap((url) => post(REPORT, url, undefined)),
    retryTransient('release', pause),
  );
  const toReport$ = me$.pipe(
    map(({ value, url }) => linkOf(value, REPORT, url)),
    tap((url) => (reporting = url)),
  );

  const published$ = concat(available$, timer(activityMs, activityMs).pipe(exhaustMap(() => report$))).pipe(
    ignoreElements(),
    retry({
      delay: (error: unknown) => {
        // The server has lost this transient state: send makeMeAvailable again.
        if (isConflict(error, 'MakeMeAvailableRequired')) {
          isRequired = true;
          return of(undefined);
        }
        if (decide('release', error, 1) !== 'gone') return throwError(() => error);
        return probeApplication(application, connection).pipe(mergeMap(() => throwError(() => error)));
      },
    }),
    takeUntil(over$),
  );
  return defer(() => (application.isEnded ? EMPTY : published$));
}

function isConflict(error: unknown, subcode: string): boolean {
  return error instanceof HttpError && error.status === 409 && error.subcode === subcode;
}
