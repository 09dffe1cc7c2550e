import crossFetch from 'cross-fetch';
import type { Agent, AgentOptions, ClientRequest, IncomingMessage } from 'node:http';

/**
 * What a fetch must be able to do: the WHATWG one of browsers and Node, cross-fetch, node-fetch, and doubles
 * of them.
 */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** An Agent as Node calls it: this method is what it hands every request to. */
interface RequestTaker {
  addRequest(request: ClientRequest, options: unknown): void;
}

const KEEP_ALIVE: AgentOptions = { keepAlive: true };

/** Where Node's own modules come from; browsers have none. */
interface Platform {
  readonly process?: Pick<NodeJS.Process, 'getBuiltinModule'>;
}

/**
 * Returns cross-fetch, on Node with kept-alive connections and with bodies that error when they break off.
 */
export function keptAliveFetch({ process }: Platform = globalThis): Fetch {
  // Asking at run time keeps bundlers for the browser from looking for Node's modules.
  if (typeof process?.getBuiltinModule !== 'function') return crossFetch;
  const http = process.getBuiltinModule('node:http');
  const https = process.getBuiltinModule('node:https');
  const agents = { http: new http.Agent(KEEP_ALIVE), https: new https.Agent(KEEP_ALIVE) };
  return async (url, init) => {
    const connection = watched(url.startsWith('https:') ? agents.https : agents.http);
    const nodeInit = { ...init, agent: connection.agent };
    const response = await crossFetch(url, nodeInit);
    connection.watch(response.body);
    return response;
  };
}

interface Watched {
  readonly agent: Agent;
  readonly watch: (body: unknown) => void;
}

interface Destroyable {
  destroy(error: Error): void;
}

/**
 * The agent, for one request whose answer is watched: a body that announced its length and broke off before
 * would otherwise never end, because node-fetch pipes it without its errors.
 */
function watched(agent: Agent): Watched {
  let breakOff: ((error: Error) => void) | undefined;
  const onClose = (answer: IncomingMessage): void => {
    if (answer.complete) return;
    const broken = new Error('the connection was closed before the body was complete');
    breakOff?.(Object.assign(broken, { code: 'ECONNRESET' }));
  };
  const taker = agent as unknown as RequestTaker;
  const watching = Object.create(agent, {
    addRequest: {
      value: (request: ClientRequest, options: unknown) => {
        request.once('response', (answer) => answer.once('close', () => onClose(answer)));
        taker.addRequest(request, options);
      },
    },
  }) as Agent;
  return {
    agent: watching,
    watch: (body) => {
      breakOff = (error) => (body as Destroyable).destroy(error);
    },
  };
}
