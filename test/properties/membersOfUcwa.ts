import fc from 'fast-check';
import type { Decoder } from 'io-ts';
import { of } from 'rxjs';
import { HttpError } from '../../lib/core/errors.ts';
import { headersFrom, type Transport } from '../../lib/core/transport/transport.ts';
import { advance } from '../../lib/ucwa/protocol/cursor.ts';
import { eventsResponseCodec } from '../../lib/ucwa/protocol/events.ts';
import { requestJson } from '../../lib/ucwa/protocol/request.ts';
import {
  applicationCodec,
  presenceSubscriptionCodec,
  resourceCodec,
} from '../../lib/ucwa/protocol/resource.ts';
import {
  APPLICATION_RESOURCE,
  EVENT_RESPONSES,
  EVENTS,
  GROUP,
  REFUSAL,
  SUBSCRIPTION,
} from '../support/ucwa/messages.ts';
import { NO_FIGURES, type Trial } from './law.ts';
import {
  canonical,
  channelBy,
  MISSING,
  type Place,
  placesIn,
  REASON,
  RESOURCE,
  resourceWith,
  type Shape,
  withValues,
} from './shapes.ts';

/** A message, its places, and its content, as far as the library and as far as the law reads it. */
interface Message {
  readonly name: string;
  readonly sent: unknown;
  readonly places: readonly Place[];
  readonly status: number;
  readonly codec: Decoder<unknown, unknown>;
  /** The content of a value that the codec has returned. */
  readonly read: (value: never) => unknown;
  /** The same of a message without the members that are damaged. */
  readonly expected: (message: unknown) => unknown;
}

/** A damaged message. */
export interface Damaged {
  readonly message: Message;
  /** The paths and their present values. */
  readonly damage: ReadonlyMap<string, unknown>;
  /** The paths of the members that this costs. */
  readonly costs: ReadonlyMap<string, unknown>;
}

interface SentLink {
  readonly rel?: string;
  readonly href: string;
}

type OneOrMany<Value> = Value | readonly Value[];

interface SentResource {
  readonly _links?: Readonly<Record<string, OneOrMany<SentLink>>>;
}

interface SentEvent {
  readonly link: SentLink & { readonly rel: string };
  readonly _embedded?: Readonly<Record<string, OneOrMany<SentResource>>>;
}

interface SentChannel {
  readonly _links: Readonly<Record<string, SentLink>>;
  readonly sender?: readonly (SentLink & { readonly events?: readonly SentEvent[] })[];
}

/** The content of an error, or of its body. */
interface Refused {
  readonly status?: number;
  readonly code?: string;
  readonly subcode?: string;
}

function listOf<Value>(value: OneOrMany<Value> | undefined): readonly Value[] {
  return value === undefined ? [] : Array.isArray(value) ? (value as Value[]) : [value as Value];
}

/** The resource that an event brings: the one that its link leads to, or else the first. */
function resourceOf(
  link: SentEvent['link'],
  embedded: SentEvent['_embedded'] = {},
): SentResource | undefined {
  const all = Object.values(embedded).flatMap((one) => listOf(one));
  const named = embedded[link.rel] === undefined ? all : listOf(embedded[link.rel]);
  const same = named.find((one) => listOf(one._links?.['self']).some(({ href }) => href === link.href));
  return same ?? named[0];
}

/** Returns the events of a response, and its next link. */
function channelContent(message: unknown): unknown {
  const { _links: links, sender } = message as SentChannel;
  const link = links['resync'] ?? links['resume'] ?? links['next'];
  const events = listOf(sender).flatMap(({ events: sent, ...from }) =>
    listOf(sent).map(({ _embedded: embedded, ...event }) => {
      const resource = resourceOf(event.link, embedded);
      return { ...event, sender: from, ...(resource === undefined ? {} : { resource }) };
    }),
  );
  return { events, next: new URL(link?.href ?? '', EVENTS).href };
}

function refused({ status, code, subcode }: Refused): Refused {
  return JSON.parse(JSON.stringify({ status, code, subcode })) as Refused;
}

function message(
  name: string,
  sent: object,
  shape: Shape,
  {
    codec,
    status = 200,
    read = (value) => value,
    expected = (value) => value,
  }: Pick<Message, 'codec'> & Partial<Message>,
): Message {
  return { name, sent, places: placesIn(sent, shape), codec, status, read, expected };
}

const ALL: readonly Message[] = [
  ...Object.entries(EVENT_RESPONSES).map(([name, sent]) => {
    const { _links: links } = sent as { readonly _links: object };
    const leading = ['next', 'resume', 'resync'].find((rel) => rel in links) ?? '';
    return message(name, sent, channelBy(leading), {
      codec: eventsResponseCodec,
      read: (value) => {
        const { batch, cursor } = advance({ url: EVENTS }, value);
        return { events: batch.events.filter(({ type }) => type !== 'gap'), next: cursor.url };
      },
      expected: channelContent,
    });
  }),
  message('the application', APPLICATION_RESOURCE, resourceWith('self', 'events'), {
    codec: applicationCodec,
  }),
  message('a presence subscription', SUBSCRIPTION, resourceWith('self'), {
    codec: presenceSubscriptionCodec,
  }),
  message('the contacts of a group', GROUP, RESOURCE, { codec: resourceCodec }),
  message('a refusal', REFUSAL, REASON, {
    ...{ codec: resourceCodec, status: 404 },
    expected: (body) => refused({ status: 404, ...(body as Refused) }),
  }),
];

const MESSAGES = ALL.filter(({ places }) => places.length > 0);

/** Messages with one to three members that are null, of another type, or missing. */
export const damagedMessages: fc.Arbitrary<Damaged> = fc
  .tuple(fc.nat(MESSAGES.length - 1), fc.array(fc.tuple(fc.nat(), fc.nat()), { minLength: 1, maxLength: 3 }))
  .map(([index, choices]) => {
    const chosen = MESSAGES[index]!;
    const damages = choices.map(([where, how]) => {
      const { path, cost, wrong } = chosen.places[where % chosen.places.length]!;
      const values = [MISSING, ...wrong];
      return { path: path.join('/'), cost: cost.join('/'), value: values[how % values.length] };
    });
    return {
      message: chosen,
      damage: new Map(damages.map(({ path, value }) => [path, value])),
      costs: new Map(damages.map(({ cost }) => [cost, MISSING])),
    };
  });

/** Checks that only the damaged members of a message are missing, and that dropped ones are counted. */
export function readDamaged({
  message: { sent, status, codec, read, expected },
  damage,
  costs,
}: Damaged): Promise<Trial> {
  const damaged = JSON.stringify(withValues(sent, damage));
  const left = withValues(sent, costs);
  let dropped = 0;
  const transport: Transport = ({ url }) =>
    of({
      ...{ status, url, headers: headersFrom({ 'content-type': 'application/json' }) },
      body$: of(new TextEncoder().encode(damaged)),
      noteDropped: (members) => (dropped += members),
    });
  let came: unknown;
  requestJson(transport, { method: 'GET', url: EVENTS }, codec, 'message').subscribe({
    next: ({ value }) => (came = read(value as never)),
    error: (error: unknown) => {
      came = error instanceof HttpError ? refused(error as Refused) : String(error);
    },
  });
  const want = expected(left);
  const breaches =
    canonical(came) === canonical(want) ? [] : [`${canonical(came)} in place of ${canonical(want)}`];
  if (dropped > 0 !== (canonical(JSON.parse(damaged)) !== canonical(left)))
    breaches.push(`${dropped} were dropped`);
  const { events = [] } = Object(came) as { readonly events?: readonly unknown[] };
  return Promise.resolve({
    breaches,
    figures: { ...NO_FIGURES, events: events.length, faults: damage.size },
  });
}

/** Describes the damage of a message in words. */
export function describeDamage({ message: { name }, damage }: Damaged): string {
  const lines = [...damage].map(
    ([path, value]) => `/${path}: ${value === MISSING ? 'nothing' : JSON.stringify(value)}`,
  );
  return `${name}, with\n${lines.join('\n')}`;
}
