import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, type IncomingMessage, request, type RequestOptions } from 'node:http';
import { fileURLToPath } from 'node:url';

/** Starts one of the servers in a process of its own, which ends with this one; resolves with its origin. */
export async function loopback(name: string): Promise<string> {
  const child = fork(fileURLToPath(new URL('server.ts', import.meta.url)), [name]);
  const [origin] = (await once(child, 'message')) as [string];
  return origin;
}

/** An agent that keeps as many connections as there are. */
export function keepingAgent(maxSockets: number = Infinity): Agent {
  return new Agent({ keepAlive: true, maxSockets });
}

/** Sends with nothing but Node's own client; resolves when the head of the answer is there. */
export function raw(url: string, options: RequestOptions, body?: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = request(url, options, resolve);
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Reads an answer to its end. */
export async function textOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  answer.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(answer, 'end');
  return Buffer.concat(chunks).toString();
}
