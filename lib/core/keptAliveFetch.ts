import crossFetch from 'cross-fetch';
import type { Agent, AgentOptions, ClientRequest, IncomingMessage } from 'node:http';
import { holdBack, type HeldConnection, holdingAgent } from './heldConnection.ts';

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
const CONNECTIONS = new WeakMap<Response, HeldConnection>();

/** The connection that an answer came on, which waits for its reader; undefined where the platform has it. */
export function connectionOf(response: Response): HeldConnection | undefined {
  return CONNECTIONS.get(response);
}

/** Where Node's own modules come from; browsers have none. */
interface Platform {
  readonly process?: Pick<NodeJS.Process, 'getBuiltinModule'>;
}

/**
 * Returns cross-fetch, on Node with kept-alive connections and with bodies that error when they break off. A
 * connection is used again only when its {@link connectionOf} is released.
 */
export function keptAliveFetch({ process }: Platform = globalThis): Fetch {
  // Asking at run time keeps bundlers for the browser from looking for Node's modules.
  if (typeof process?.getBuiltinModule !== 'function') return crossFetch;
  const http = process.getBuiltinModule('node:http');
  const https = process.getBuiltinModule('node:https');
  const agents = {
    http: holdingAgent(new http.Agent(KEEP_ALIVE)),
    https: holdingAgent(new https.Agent(KEEP_ALIVE)),
  };
  return async (url, init) => {
    const connection = watched(url.startsWith('https:') ? agents.https : agents.http);
    const nodeInit = { ...init, agent: connection.agent };
    const response = await crossFetch(url, nodeInit);
    connection.watch(response);
    return response;
  };
}

interface Watched {
  readonly agent: Agent;
  readonly watch: (response: Response) => void;
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
  let held: HeldConnection | undefined;
  const onClose = (answer: IncomingMessage): void => {
    if (answer.complete) return;
    const broken = new Error('the connection was closed before the body was complete');
    breakOff?.(Object.assign(broken, { code: 'ECONNRESET' }));
  };
  const taker = agent as unknown as RequestTaker;
  const watching = Object.create(agent, {
    addRequest: {
      value: (request: ClientRequest, options: unknown) => {
        request.once('response', (answer) => {
          held = holdBack(answer.socket);
          answer.once('close', () => onClose(answer));
        });
        taker.addRequest(request, options);
      },
    },
  }) as Agent;
  return {
    agent: watching,
    watch: (response) => {
      if (held !== undefined) CONNECTIONS.set(response, held);
      breakOff = (error) => (response.body as unknown as Destroyable).destroy(error);
    },
  };
}
