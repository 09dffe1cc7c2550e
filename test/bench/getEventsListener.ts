import type { RequestListener, ServerResponse } from 'node:http';
import { ewsAnswer, getEventsResponse, SUBSCRIPTION_ID } from './ewsMessages.ts';

const EVENTS = 10_000;

/** Responds to every GetEvents with the same 10,000 events, and to its related operations. */
export function getEventsListener(): RequestListener {
  const events = Buffer.from(getEventsResponse({ events: EVENTS }));
  const subscribed = Buffer.from(
    ewsAnswer(
      'Subscribe',
      `<m:SubscriptionId>${SUBSCRIPTION_ID}</m:SubscriptionId><m:Watermark>AQAAAAAAAAA=</m:Watermark>`,
    ),
  );
  const unsubscribed = Buffer.from(ewsAnswer('Unsubscribe', ''));
  return (request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      if (body.includes('GetEvents>')) answer(response, events);
      else answer(response, body.includes('Unsubscribe>') ? unsubscribed : subscribed);
    });
  };
}

function answer(response: ServerResponse, body: Buffer): void {
  response.writeHead(200, { 'content-type': 'text/xml; charset=utf-8', 'content-length': body.length });
  response.end(body);
}
