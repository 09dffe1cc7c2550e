import { filter, firstValueFrom, map, merge, type Observable, take, timeout } from 'rxjs';
import { type Auth, bearer } from '../../core/auth/auth.ts';
import { offeredSchemes } from '../../core/auth/challenge.ts';
import type { Transport } from '../../core/transport/transport.ts';
import { basic } from '../../ews/auth/basic.ts';
import { connectExchange } from '../../ews/connect.ts';
import type { EwsEvent } from '../../ews/protocol/events.ts';
import { pullNotifications } from '../../ews/pull/pull.ts';
import type { Exchange } from '../../ews/session/session.ts';
import { streamingNotifications } from '../../ews/streaming/streaming.ts';
import { ntlm } from '../../node/ntlm/ntlm.ts';
import { describeError } from '../watch.ts';
import type { Credentials } from './credentials.ts';
import { exchange, type Exchanged } from './exchange.ts';
import { leftBy, type Leftovers, leftoversResult } from './leftovers.ts';
import type { NetworkFacts } from './network.ts';
import type { Step, StepResult } from './steps.ts';

/** A way to sign in that has worked. */
interface SignIn {
  /** The code for it. */
  readonly code: string;
  readonly auth: Auth | undefined;
  readonly transport: Transport;
}

/** The facts that the steps of EWS find. */
export interface EwsFacts extends NetworkFacts {
  readonly offered?: string;
  readonly signIn?: SignIn;
  /** Which notifications work. */
  readonly works?: { readonly pull?: boolean; readonly streaming?: boolean };
  /** What was not removed from the server. */
  readonly leftovers?: Leftovers;
}

/** What the steps of EWS need. */
export interface EwsContext {
  readonly connect: () => Transport;
  readonly credentials: Credentials;
  /** How long to wait for the first envelope of a stream. */
  readonly waitSeconds: number;
}

type Result = StepResult<EwsFacts>;

/** A request that changes nothing: the properties of the inbox. */
const GET_INBOX =
  '<?xml version="1.0" encoding="utf-8"?>' +
  '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"' +
  ' xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"' +
  ' xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types">' +
  '<soap:Header><t:RequestServerVersion Version="Exchange2013_SP1"/></soap:Header><soap:Body><m:GetFolder>' +
  '<m:FolderShape><t:BaseShape>IdOnly</t:BaseShape></m:FolderShape>' +
  '<m:FolderIds><t:DistinguishedFolderId Id="inbox"/></m:FolderIds></m:GetFolder></soap:Body></soap:Envelope>';

const WATCHED = { folders: ['inbox'], events: ['newMail'] } as const;

/** Returns the steps for EWS, after those of the network. */
export function ewsSteps(context: EwsContext): readonly Step<EwsFacts>[] {
  return [
    { name: 'HTTP', needs: ['TLS'], run: (facts) => offers(context, facts) },
    { name: 'sign-in', needs: ['HTTP'], run: (facts) => signsIn(context, facts) },
    { name: 'server', needs: ['sign-in'], run: (facts) => identifies(facts) },
    { name: 'pull', needs: ['sign-in'], run: (facts) => notifies('pull', context, facts) },
    { name: 'streaming', needs: ['sign-in'], run: (facts) => notifies('streaming', context, facts) },
    {
      name: 'leftovers',
      needs: ['sign-in'],
      run: (facts) => Promise.resolve(leftoversResult(facts.leftovers)),
    },
  ];
}

function getInbox(transport: Transport, url: string): Promise<Exchanged> {
  const headers = { 'content-type': 'text/xml; charset=utf-8', accept: 'text/xml' };
  return exchange(transport, { method: 'POST', url, headers, body: GET_INBOX });
}

async function offers({ connect }: EwsContext, { url = '' }: EwsFacts): Promise<Result> {
  const { status, headers } = await getInbox(connect(), url);
  const offered = offeredSchemes(headers);
  if (status === 401) {
    return offered === ''
      ? {
          state: 'failed',
          text: 'the server requires a sign-in, but offers no method',
          advice: 'a proxy may remove the header WWW-Authenticate; connect without it',
        }
      : { state: 'ok', text: `the server offers ${offered}`, facts: { offered } };
  }
  if (status === 200 || status === 500)
    return { state: 'ok', text: 'no sign-in is required', facts: { offered: '' } };
  const advice =
    status === 404
      ? 'the path of EWS is /EWS/Exchange.asmx'
      : 'check that the URL is that of EWS, and that no proxy or firewall responds in place of the server';
  return { state: 'failed', text: `the server responds with status ${status}`, advice };
}

async function signsIn(
  { connect, credentials }: EwsContext,
  { url = '', offered = '' }: EwsFacts,
): Promise<Result> {
  const ways = signIns(credentials, offered, connect);
  if (ways.length === 0)
    return {
      state: 'failed',
      text:
        offered === ''
          ? 'there is nothing to sign in with'
          : `the server offers ${offered}, but there are no credentials for it`,
      advice: 'give --user for Basic or NTLM, or --token-file or RXCHANGE_TOKEN for Bearer',
    };
  const refusals: string[] = [];
  for (const way of ways) {
    const signed = way.auth?.sign({ allowInsecureHttp: false })(way.transport) ?? way.transport;
    const outcome = await getInbox(signed, url).then(
      ({ status }) => (status === 401 || status === 403 ? `status ${status}` : undefined),
      (error: unknown) => describeError(error),
    );
    if (outcome === undefined) return { state: 'ok', text: `${way.code} works`, facts: { signIn: way } };
    refusals.push(`${way.code}: ${outcome}`);
  }
  return {
    state: 'failed',
    text: refusals.join('; '),
    advice: 'check the secret, that the account is not locked, and that it may use EWS',
  };
}

/** Returns the ways to sign in for which there are credentials, those that the server offers only. */
function signIns(
  { username, password, token }: Credentials,
  offered: string,
  connect: () => Transport,
): readonly SignIn[] {
  const schemes = offered.toLowerCase().split(/\W+/);
  const has = (scheme: string): boolean => schemes.includes(scheme.toLowerCase());
  const transport = connect();
  const ways: SignIn[] = [];
  if (offered === '') ways.push({ code: 'no sign-in', auth: undefined, transport });
  if (token !== undefined && (has('Bearer') || offered === ''))
    ways.unshift({ code: 'auth: bearer(token)', auth: bearer(token), transport });
  if (username !== undefined && password !== undefined) {
    if (has('Basic'))
      ways.push({
        code: 'auth: basic({ username, password })',
        auth: basic({ username, password }),
        transport,
      });
    if (has('NTLM')) {
      const signed = ntlm({ username, password, connect });
      ways.push({ code: 'transport: ntlm({ username, password })', auth: undefined, transport: signed });
    }
  }
  return ways;
}

const VERSIONS: readonly (readonly [start: string, name: string])[] = [
  ['15.2.', 'Exchange 2019 or SE'],
  ['15.1.', 'Exchange 2016'],
  ['15.0.', 'Exchange 2013'],
  ['14.', 'Exchange 2010'],
];

async function identifies({ url = '', signIn }: EwsFacts): Promise<Result> {
  if (signIn === undefined) throw new Error('nothing has signed in');
  const signed = signIn.auth?.sign({ allowInsecureHttp: false })(signIn.transport) ?? signIn.transport;
  const { text } = await getInbox(signed, url);
  const [, code = 'none'] = /ResponseCode>(\w{1,64})</.exec(text) ?? [];
  if (code !== 'NoError')
    return {
      state: 'failed',
      text: `the inbox cannot be opened (${code})`,
      advice: 'the account needs a mailbox, and permission to use EWS',
    };
  return { state: 'ok', text: `${serverIn(text)}; the inbox can be opened` };
}

const VERSION_PARTS = ['MajorVersion', 'MinorVersion', 'MajorBuildNumber', 'MinorBuildNumber'];
/** A part of the version, as the attribute of a header. */
const VERSION_PART = /\b(\w{1,20})="(\d{1,6})"/g;

/** Returns family and version of the server that has sent a response: a pure function. */
export function serverIn(text: string): string {
  const parts = new Map([...text.matchAll(VERSION_PART)].map(([, name, value]) => [name, value]));
  const version = VERSION_PARTS.map((name) => parts.get(name) ?? '?').join('.');
  // Exchange has the prefix `s`.
  if (text.includes('<SOAP:Envelope')) return `grommunio or a similar server (says it is version ${version})`;
  const name = VERSIONS.find(([start]) => version.startsWith(start))?.[1] ?? 'Exchange';
  return `${name} (version ${version})`;
}

const TYPES: Readonly<Record<'pull' | 'streaming', (exchange: Exchange) => Observable<EwsEvent>>> = {
  pull: (exchange) => pullNotifications(exchange, { ...WATCHED, pollIntervalSeconds: 1 }),
  streaming: (exchange) => streamingNotifications(exchange, WATCHED),
};

/** Subscribes, waits for the first response with events, and unsubscribes. */
async function notifies(
  type: 'pull' | 'streaming',
  { waitSeconds }: EwsContext,
  { url = '', signIn, works, leftovers: before = [] }: EwsFacts,
): Promise<Result> {
  if (signIn === undefined) throw new Error('nothing has signed in');
  const { transport, auth } = signIn;
  const limits = { silenceSeconds: waitSeconds };
  const connection = connectExchange({
    server: url,
    transport,
    limits,
    ...(auth === undefined ? {} : { auth }),
  });
  const starved$ = connection.status$.pipe(
    filter((status) => status.state === 'waiting'),
    map(({ error }) => error),
  );
  const result = await firstValueFrom(
    merge(TYPES[type](connection).pipe(map(() => undefined)), starved$).pipe(
      take(1),
      timeout(2000 + 2000 * waitSeconds),
    ),
  ).catch((error: unknown) => error);
  const left = leftBy(await connection.close());
  const facts = { works: { ...works, [type]: result === undefined }, leftovers: [...before, ...left] };
  if (result === undefined)
    return { state: 'ok', text: `Subscribe, the first event and Unsubscribe work`, facts };
  return { state: 'failed', text: describeError(result), advice: adviceForType[type], facts };
}

const adviceForType = {
  pull: 'the account may not subscribe, or has too many subscriptions: see the code',
  streaming: 'if pull works, a proxy may buffer responses: let it pass them on, or use pullNotifications',
};

/** Returns the code that fits what works; undefined if nothing does. */
export function recommendation({ url = '', signIn, works = {} }: EwsFacts): string | undefined {
  const name =
    works.streaming === true
      ? 'streamingNotifications'
      : works.pull === true
        ? 'pullNotifications'
        : undefined;
  if (name === undefined || signIn === undefined) return undefined;
  const how = signIn.code === 'no sign-in' ? '' : `, ${signIn.code}`;
  return `${name}(connectExchange({ server: '${url}'${how} }), { folders: ['inbox'], events: ['newMail'] })`;
}
