import crossFetch from 'cross-fetch';
import type { Agent, AgentOptions, ClientRequest, IncomingMessage } from 'node:http';
import { OriginError } from '../errors.ts';
import { holdBack, type HeldConnection, holdingAgent } from './deferSocketReuse.ts';
import { describeUrl } from '../text.ts';

/**
 * What a fetch must be able to do: the WHATWG one of browsers and Node, cross-fetch, node-fetch, and doubles
 * of them.
 */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** A request that was sent. */
export interface Sent {
  readonly response: Promise<Response>;
  /** The connection that the answer came on, which waits for its reader; undefined where the platform has it. */
  readonly connection: () => HeldConnection | undefined;
  /** Ends it, whether its answer has begun or not. */
  readonly cancel: () => void;
}

/** Sends with a fetch. It must not throw. */
type Send = (url: string, init: RequestInit) => Sent;

/** An Agent as Node calls it: this method is what it hands every request to. */
interface RequestTaker {
  addRequest: (this: Agent, request: ClientRequest, options: unknown) => void;
}

/**
 * How long a connection is kept without a request, in milliseconds: proxies close theirs after a minute or later, and
 * a request that is just being sent then is lost. The agent keeps it shorter if the server names a shorter time.
 */
const IDLE_MS = 50_000;
const KEEP_ALIVE: AgentOptions = { keepAlive: true, timeout: IDLE_MS };
const SENDS = new WeakMap<Fetch, Send>();

/** How requests of a fetch are sent and cancelled: by its own means where it has them, or else by a signal. */
export function sendWith(fetch: Fetch): Send {
  return SENDS.get(fetch) ?? abortable(fetch);
}

function abortable(fetch: Fetch): Send {
  return (url, init) => {
    const controller = new AbortController();
    // A fetch that throws at once is no different from one that rejects.
    const response = new Promise<Response>((resolve) => {
      resolve(fetch(url, { ...init, signal: controller.signal }));
    });
    return { response, connection: () => undefined, cancel: () => controller.abort() };
  };
}

/** Where Node's own modules come from; browsers have none. */
interface Platform {
  readonly process?: Pick<NodeJS.Process, 'getBuiltinModule'>;
}

/**
 * Returns cross-fetch, on Node with kept-alive connections and with bodies that error when they break off. A
 * connection is used again only when it is released: see {@link sendWith}.
 */
export function keptAliveFetch({ process }: Platform = globalThis): Fetch {
  // Asking at run time keeps bundlers for the browser from looking for Node's modules.
  if (typeof process?.getBuiltinModule !== 'function') return crossFetch;
  const http = process.getBuiltinModule('node:http');
  const https = process.getBuiltinModule('node:https');
  const agents = {
    http: watchedAgent(holdingAgent(new http.Agent(KEEP_ALIVE))),
    https: watchedAgent(holdingAgent(new https.Agent(KEEP_ALIVE))),
  };
  const send: Send = (url, init) =>
    watched({ ...init, agent: url.startsWith('https:') ? agents.https : agents.http }, url);
  const fetch: Fetch = (url, init) => send(url, init).response;
  SENDS.set(fetch, send);
  return fetch;
}

/**
 * Throws before a connection is taken if it would be to another host than the URL's: node-fetch reads URLs with a
 * parser of its own.
 */
function checkHost({ host, protocol }: ClientRequest, url: string): void {
  const checked = new URL(url);
  if (protocol === checked.protocol && host === checked.hostname.replace(/^\[|\]$/g, '')) return;
  throw new OriginError(checked.origin, describeUrl(`${protocol}//${host}`), 'the connection');
}

interface Destroyable {
  destroy(error?: Error): void;
}

/** Whom an agent shows the request that is being made: node-fetch hands it over before it returns. */
let watch: ((request: ClientRequest) => void) | undefined;

/** Lets an agent show its requests: one of its own for each would take a tenth of the time of a request. */
function watchedAgent<Kind extends Agent>(agent: Kind): Kind {
  const taker = agent as unknown as RequestTaker;
  const { addRequest } = taker;
  taker.addRequest = (request, options) => {
    watch?.(request);
    addRequest.call(agent, request, options);
  };
  return agent;
}

/**
 * Sends a request and watches its answer: a body that announced its length and broke off before would
 * otherwise never end, because node-fetch pipes it without its errors. It is cancelled without a signal, which
 * would take a fifth of the time of a request.
 */
function watched(init: RequestInit & { readonly agent: Agent }, url: string): Sent {
  let request: ClientRequest | undefined;
  let answered: Response | undefined;
  let held: HeldConnection | undefined;
  const onClose = (answer: IncomingMessage): void => {
    if (answer.complete) return;
    const broken = new Error('the connection was closed before the body was complete');
    const body = answered?.body as unknown as Destroyable | undefined;
    body?.destroy(Object.assign(broken, { code: 'ECONNRESET' }));
  };
  watch = (made) => {
    request = made;
    checkHost(made, url);
    made.once('response', (answer) => {
      held = holdBack(answer.socket);
      answer.once('close', () => onClose(answer));
    });
  };
  const sent = crossFetch(url, init);
  watch = undefined;
  return {
    response: sent.then((response) => (answered = response)),
    connection: () => held,
    cancel: () => request?.destroy(),
  };
}
