import type { Agent, AgentOptions, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { NetworkError, OriginError } from '../errors.ts';
import { describeUrl } from '../text.ts';
import { abortable, type Fetch, type Send } from './send.ts';
import { noop, type Observer } from 'rxjs';
import { type ReadBody, readWebBody } from './webBody.ts';

/** A platform that may be Node. */
interface Platform {
  readonly process?: Partial<Pick<NodeJS.Process, 'getBuiltinModule'>>;
}

/** A connection to one origin: an agent of its own, so that one request at a time uses it. */
interface Connection {
  readonly agent: Agent;
  /** Called with the head of a response. */
  onResponse: (response: IncomingMessage) => void;
  /** Why there is no connection. */
  failure?: NetworkError;
}

/** Creates the agent of one connection to an origin. */
export type CreateAgent = (origin: string, options: AgentOptions) => Agent;

/**
 * How long an idle connection is kept, in milliseconds, unless the server names a shorter time. Proxies close
 * theirs after a minute or later, and a request that is being sent then is lost.
 */
const IDLE_MS = 50_000;
/** How many idle connections to one origin are kept: as many as by an agent of Node. */
const MOST_IDLE = 256;

/** The connections of all fetches, by their sockets. */
const CONNECTIONS = new WeakMap<object, Connection>();
let isWatching = false;
let fetch: Fetch | undefined;

/**
 * Returns how to send with cross-fetch, on Node over kept-alive connections.
 *
 * @param createAgent @default agents of Node with its own settings
 */
export function nodeSend({ process }: Platform = globalThis, createAgent?: CreateAgent): Send {
  const builtin = process?.getBuiltinModule;
  return builtin === undefined
    ? abortable(crossFetch)
    : pooled(builtin, createAgent ?? ((origin, options) => new (agentsOf(builtin, origin))(options)));
}

function agentsOf(builtin: NodeJS.Process['getBuiltinModule'], origin: string): typeof Agent {
  return (origin.startsWith('https:') ? builtin('node:https') : builtin('node:http')).Agent;
}

/**
 * Sends with cross-fetch, which is loaded with the first request. Loading it takes longer than all the rest.
 */
function crossFetch(url: string, init: RequestInit): Promise<Response> {
  return fetch?.(url, init) ?? loadFetch().then((loaded) => loaded(url, init));
}

async function loadFetch(): Promise<Fetch> {
  fetch = (await import('cross-fetch')).default;
  return fetch;
}

/**
 * Sends over connections that serve the next request when the response was read.
 *
 * One agent for all connections would use them when the response has arrived. That is before the reader knows
 * whether the server may send a second response.
 */
function pooled(builtin: NodeJS.Process['getBuiltinModule'], createAgent: CreateAgent): Send {
  const idle = new Map<string, Connection[]>();

  const forget = (origin: string, connection: Connection): void => {
    const others = idle.get(origin);
    const index = others?.indexOf(connection) ?? -1;
    if (index !== -1) others?.splice(index, 1);
    if (others?.length === 0) idle.delete(origin);
  };

  const connect = (origin: string): Connection => {
    // Node does not reveal the certificate of a resumed session.
    const reusable = { keepAlive: true, maxSockets: 1, timeout: IDLE_MS, maxCachedSessions: 0 };
    const agent = createAgent(origin, reusable);
    const connection: Connection = { agent, onResponse: () => undefined };
    const track = (socket: Duplex): void => {
      CONNECTIONS.set(socket, connection);
      socket.once('close', () => forget(origin, connection));
    };
    const createConnection = agent.createConnection.bind(agent);
    agent.createConnection = (options, callback) => {
      // A socket is returned, or given to the callback later.
      const socket = createConnection(options, (error, later) => {
        if (error instanceof NetworkError) connection.failure = error;
        if (error === null) track(later);
        callback?.(error, later);
      });
      if (socket) track(socket);
      return socket;
    };
    watchResponses(builtin);
    return connection;
  };

  const keep = (origin: string, connection: Connection): void => {
    const others = idle.get(origin);
    if (others === undefined) idle.set(origin, [connection]);
    else if (others.length < MOST_IDLE) others.push(connection);
    else connection.agent.destroy();
  };

  return (url, init) => {
    const { origin } = url;
    let connection: Connection | undefined;
    let arriving: IncomingMessage | undefined;
    // The response gives its socket up when it ends.
    let socket: Socket | TLSSocket | undefined;
    let response: Response | undefined;
    let isReleased = false;
    let isOver = false;

    const end = (): void => {
      if (connection === undefined || isOver || !isReleased) return;
      isOver = true;
      keep(origin, connection);
    };

    const onResponse = (head: IncomingMessage): void => {
      arriving = head;
      ({ socket } = head);
      head.once('close', () => {
        if (head.complete) end();
        else breakOff(response);
      });
    };

    // node-fetch calls it with the URL that it connects to, which it reads with a parser of its own.
    const agent = (target: Target): Agent => {
      checkTarget(target, url);
      if (isOver) throw new Error('the request was cancelled');
      connection = idle.get(origin)?.pop() ?? connect(origin);
      connection.onResponse = onResponse;
      return connection.agent;
    };

    return {
      response: crossFetch(url.href, { ...init, agent } as RequestInit).then(
        (it) => (response = it),
        // node-fetch describes it by an error of its own.
        (error: unknown) => Promise.reject((connection?.failure ?? error) as Error),
      ),
      cancel: () => {
        if (isOver) return;
        isOver = true;
        connection?.agent.destroy();
      },
      release: () => {
        isReleased = true;
        if (arriving?.readableEnded !== false) end();
        return isOver;
      },
      peerCertificate: () => certificateOn(socket),
    };
  };
}

/** Returns the server's certificate, in DER; undefined without TLS. */
function certificateOn(socket: Socket | TLSSocket | undefined): Uint8Array | undefined {
  return socket !== undefined && 'getPeerX509Certificate' in socket
    ? socket.getPeerX509Certificate()?.raw
    : undefined;
}

/** Calls the connection of each response when its head has arrived. */
function watchResponses(builtin: NodeJS.Process['getBuiltinModule']): void {
  if (isWatching) return;
  isWatching = true;
  builtin('node:diagnostics_channel').subscribe('http.client.response.finish', (message) => {
    const { response } = message as { readonly response: IncomingMessage };
    CONNECTIONS.get(response.socket)?.onResponse(response);
  });
}

/** The server that node-fetch connects to. */
interface Target {
  readonly protocol: string;
  readonly hostname: string;
}

function checkTarget({ protocol, hostname }: Target, checked: URL): void {
  const isChecked = hostname === checked.hostname || `[${hostname}]` === checked.hostname;
  if (isChecked && protocol === checked.protocol) return;
  throw new OriginError(checked.origin, describeUrl(`${protocol}//${hostname}`), 'the connection');
}

/** Errors a body whose response was cut short: node-fetch pipes the response without its errors. */
function breakOff(response: Response | undefined): void {
  const broken = new Error('the connection was closed before the body was complete');
  const body = response?.body as { destroy(error: Error): void } | null | undefined;
  body?.destroy(Object.assign(broken, { code: 'ECONNRESET' }));
}

/** The members of a Node stream that are used. */
interface NodeBody {
  readonly destroyed: boolean;
  readonly errored: Error | null;
  on(event: 'data', listener: (chunk: Uint8Array) => void): this;
  on(event: 'error', listener: (error: Error) => void): this;
  on(event: 'end' | 'close', listener: () => void): this;
  destroy(): void;
}

/** Reads a web stream, or the Node stream that the bodies of node-fetch and cross-fetch are. */
export const readAnyBody: ReadBody = (body, reader) =>
  body === null || 'getReader' in body ? readWebBody(body, reader) : readNodeBody(body, reader);

/** By its events: iteration would take several microtasks per chunk. */
function readNodeBody(body: NodeBody, { next, complete, error }: Observer<Uint8Array>): () => void {
  let isEnded = false;
  const onClose = (): void => {
    if (!isEnded) error(body.errored ?? new Error('the body was closed before its end'));
  };
  // A body that has broken off emits no more events.
  if (body.destroyed) {
    onClose();
    return noop;
  }
  body.on('data', next).on('error', error).on('close', onClose);
  body.on('end', () => {
    isEnded = true;
    complete();
  });
  return () => body.destroy();
}
