// The process of one server: sends its origin, and ends with its parent.
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ewsSimulator } from '../../lib/testing/ews/simulator.ts';
import { serve } from '../../lib/testing/http/serve.ts';
import { ucwaSimulator } from '../../lib/testing/ucwa/simulator.ts';
import { channelListener } from './channelListener.ts';
import { getEventsListener } from './getEventsListener.ts';
import { streamListener } from './streamListener.ts';

const DELAY_MS = 10;

function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  server.keepAliveTimeout = 0;
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () =>
      resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    );
  });
}

const SERVERS: Readonly<Record<string, () => Promise<string>>> = {
  getEvents: () => listen(getEventsListener()),
  stream: () => listen(streamListener()),
  channel: () => listen(channelListener()),
  ews: async () => (await serve(ewsSimulator({ latencyMs: DELAY_MS }).transport)).origin,
  ucwa: async () => (await serve(ucwaSimulator({ latencyMs: DELAY_MS, mediumSeconds: 0 }).transport)).origin,
};

const [, , name = ''] = process.argv;
const start = SERVERS[name];
if (start === undefined) throw new Error(`There is no server ${name}`);
process.on('disconnect', () => process.exit());
process.send?.(await start());
