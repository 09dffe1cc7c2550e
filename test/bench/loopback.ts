import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, type IncomingMessage, request, type RequestOptions } from 'node:http';
import { fileURLToPath } from 'node:url';

/** Starts a server in its own process, which ends with this one. Resolves with its origin. */
export async function loopback(name: string): Promise<string> {
  const child = fork(fileURLToPath(new URL('server.ts', import.meta.url)), [name]);
  const [origin] = (await once(child, 'message')) as [string];
  return origin;
}

/** An agent that keeps all connections open. */
export function keepingAgent(maxSockets: number = Infinity): Agent {
  return new Agent({ keepAlive: true, maxSockets });
}

/** Sends a request with Node's own client. Resolves with the head of the response. */
export function raw(url: string, options: RequestOptions, body?: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = request(url, options, resolve);
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Reads a response to its end. */
export async function textOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  answer.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(answer, 'end');
  return Buffer.concat(chunks).toString();
}
