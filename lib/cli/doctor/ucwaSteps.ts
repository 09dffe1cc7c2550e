import {
  filter,
  firstValueFrom,
  map,
  merge,
  mergeMap,
  type Observable,
  take,
  throwError,
  timeout,
} from 'rxjs';
import { offeredSchemes } from '../../core/auth/challenge.ts';
import { httpUrl } from '../../core/httpUrl.ts';
import { describeUrl } from '../../core/text.ts';
import type { Transport } from '../../core/transport/transport.ts';
import { oauthChallenge } from '../../ucwa/auth/tokenClient.ts';
import type { Ucwa } from '../../ucwa/session/session.ts';
import { describeError } from '../watch.ts';
import type { Credentials } from './credentials.ts';
import { exchange, type Exchanged } from './exchange.ts';
import { leftBy, type Leftovers } from './leftovers.ts';
import type { NetworkFacts } from './network.ts';
import type { StepResult } from './steps.ts';

/** The facts that the steps of UCWA find. */
export interface UcwaFacts extends NetworkFacts {
  /** The SIP address of the user. */
  readonly uri?: string;
  readonly works?: boolean;
  readonly leftovers?: Leftovers;
}

type Result = StepResult<UcwaFacts>;

/** Creates a connection, after the sign-in is known to be offered. */
export type Connect = () => Ucwa;

function get(transport: Transport, url: string): Promise<Exchanged> {
  return exchange(transport, { method: 'GET', url, headers: { accept: 'application/json' } });
}

/** Requests the hosts of discovery, one after the other, until one has a link to the resource of the user. */
export async function discover(transport: Transport, roots: readonly string[]): Promise<Result> {
  const tried: string[] = [];
  for (const root of roots) {
    const outcome = await get(transport, root).catch((error: unknown) => describeError(error));
    if (typeof outcome === 'string') {
      tried.push(outcome);
      continue;
    }
    const link = userLinkIn(outcome.text, root);
    if (link !== undefined)
      return {
        state: 'ok',
        text: `${describeUrl(root)} leads to ${describeUrl(link)}`,
        facts: { url: link },
      };
    const to = outcome.headers.get('location');
    const redirected =
      to === undefined ? '' : `, a redirect to ${describeUrl(to)}: start with --discovery-url there`;
    tried.push(`${describeUrl(root)} responds with status ${outcome.status}${redirected}`);
  }
  const advice =
    'the domain needs one of these hosts in DNS: outside of the network lyncdiscover, inside lyncdiscoverinternal; ' +
    'or give --discovery-url or --url';
  return { state: 'failed', text: tried.join('; '), advice };
}

/** Returns the absolute URL of the link `user` in the response of a host of discovery. */
export function userLinkIn(text: string, base: string): string | undefined {
  try {
    const { _links: links } = JSON.parse(text) as {
      readonly _links?: { readonly user?: { readonly href?: unknown } };
    };
    const href = links?.user?.href;
    return typeof href === 'string' ? httpUrl(href, base)?.href : undefined;
  } catch {
    return undefined;
  }
}

const PASSWORD = /(?:^|[:,])password$/;

/** Requests the URL without a token: the 401 says how to sign in. */
export async function offers(
  transport: Transport,
  { url = '' }: UcwaFacts,
  { token, username }: Credentials,
): Promise<Result> {
  const { status, headers } = await get(transport, url);
  if (status !== 401) {
    return status === 200 || status === 405
      ? { state: 'ok', text: 'no sign-in is required' }
      : {
          state: 'failed',
          text: `the server responds with status ${status}`,
          advice:
            'check that the URL is that of UCWA, and that no proxy or firewall responds in place of the server',
        };
  }
  const challenge = oauthChallenge(headers);
  const text =
    challenge === undefined
      ? `the server offers ${offeredSchemes(headers) || 'no method'}`
      : `tokens are issued at ${describeUrl(challenge.href)} for ${challenge.grantTypes.join(', ')}`;
  if (token !== undefined) return { state: 'ok', text };
  if (username === undefined)
    return { state: 'failed', text, advice: 'give --user, or --token-file or RXCHANGE_TOKEN' };
  if (challenge?.grantTypes.some((type) => PASSWORD.test(type)) === true) return { state: 'ok', text };
  const advice =
    'the server offers no sign-in with a password: give a token of the issuer, or use windows() in a browser';
  return { state: 'failed', text, advice };
}

/** What a step waits for on a connection. */
export interface Wait<Value> {
  readonly seconds: number;
  readonly stream: (ucwa: Ucwa) => Observable<Value>;
  readonly factsOf: (value: Value) => Partial<UcwaFacts>;
}

/** Connects, waits for the first value of a stream, and closes the connection. */
export async function works<Value>(
  connect: Connect,
  { leftovers: before = [] }: UcwaFacts,
  { seconds, stream, factsOf }: Wait<Value>,
): Promise<Result> {
  const ucwa = connect();
  const failed$ = ucwa.status$.pipe(
    filter((status) => status.state === 'waiting'),
    mergeMap(({ error }) => throwError(() => error)),
  );
  const outcome = await firstValueFrom(
    merge(stream(ucwa), failed$).pipe(
      take(1),
      timeout(1000 * seconds),
      map((value) => ({ found: factsOf(value) })),
    ),
  ).catch((error: unknown) => ({ error }));
  const facts = { leftovers: [...before, ...leftBy(await ucwa.close())] };
  if ('found' in outcome)
    return {
      state: 'ok',
      text: 'it was created, has responded, and was removed',
      facts: { ...facts, ...outcome.found },
    };
  const advice = 'see the error; if nothing arrived in time, a proxy may cut or buffer long requests';
  return { state: 'failed', text: describeError(outcome.error), advice, facts };
}
