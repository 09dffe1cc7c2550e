import type { RequestListener, ServerResponse } from 'node:http';
import { applicationResource, eventsResponse } from './ucwaEvents.ts';

/** An application with an event channel that responds to each request with an event. */
export function channelListener(): RequestListener {
  const application = applicationResource();
  const events = eventsResponse(1, 1);
  return (request, response) => {
    request.resume();
    request.on('end', () => {
      if (request.method === 'GET') json(response, 200, events);
      else if (request.method === 'POST') json(response, 201, application);
      else response.writeHead(204).end();
    });
  };
}

function json(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}
