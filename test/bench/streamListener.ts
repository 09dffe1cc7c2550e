import type { RequestListener, ServerResponse } from 'node:http';
import { ewsAnswer, SUBSCRIPTION_ID } from './ewsMessages.ts';

/** The number of envelopes with an event in a stream. */
export const ENVELOPES = 200;

const EVERY_MS = 10;

/** The forms of the envelopes, each with its own path. */
export const WAYS: Readonly<
  Record<string, { readonly each: number; readonly prefix: string; readonly pieces: number }>
> = {
  single: { each: 1, prefix: '', pieces: 1 },
  three: { each: 3, prefix: '', pieces: 1 },
  prefixed: { each: 1, prefix: 'soap11:', pieces: 1 },
  cut: { each: 1, prefix: 'soap11:', pieces: 4 },
};

/** The time in milliseconds, from a clock that all processes of this machine share. */
export function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Streams an event every ten milliseconds. Its item id contains its number and the time of sending. */
export function streamListener(): RequestListener {
  return (request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      const way = WAYS[(request.url ?? '').split('/')[1] ?? ''];
      response.writeHead(200, { 'content-type': 'text/xml; charset=utf-8' });
      if (way === undefined) response.end();
      else if (body.includes('GetStreamingEvents>')) stream(response, way);
      else if (body.includes('Unsubscribe>')) response.end(ewsAnswer('Unsubscribe', ''));
      else response.end(ewsAnswer('Subscribe', `<m:SubscriptionId>${SUBSCRIPTION_ID}</m:SubscriptionId>`));
    });
  };
}

function stream(response: ServerResponse, { each, prefix, pieces }: (typeof WAYS)[string]): void {
  let sent = 0;
  response.socket?.setNoDelay(true);
  response.flushHeaders();
  const timer = setInterval(() => {
    const xml = Array.from({ length: Math.min(each, ENVELOPES - sent) }, (_, index) =>
      envelope(prefix, `${sent + index}-${machineMs()}`),
    ).join('');
    sent += each;
    for (const piece of cut(xml, pieces)) response.write(piece);
    if (sent < ENVELOPES) return;
    clearInterval(timer);
    response.end();
  }, EVERY_MS * each);
  response.on('close', () => clearInterval(timer));
}

function cut(xml: string, pieces: number): string[] {
  const places = Array.from({ length: pieces - 1 }, () => Math.floor(Math.random() * xml.length));
  const bounds = [0, ...places.sort((a, b) => a - b), xml.length];
  return bounds.slice(1).map((bound, index) => xml.slice(bounds[index], bound));
}

function envelope(prefix: string, id: string): string {
  const xmlns = prefix === '' ? 'xmlns' : `xmlns:${prefix.slice(0, -1)}`;
  return (
    `<${prefix}Envelope ${xmlns}="http://schemas.xmlsoap.org/soap/envelope/"><${prefix}Body>` +
    '<m:GetStreamingEventsResponse xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"' +
    ' xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"><m:ResponseMessages>' +
    '<m:GetStreamingEventsResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode>' +
    `<m:Notifications><m:Notification><t:SubscriptionId>${SUBSCRIPTION_ID}</t:SubscriptionId>` +
    `<t:NewMailEvent><t:TimeStamp>2026-11-22T08:00:00Z</t:TimeStamp><t:ItemId Id="${id}" ChangeKey="CQAAABYAAAD"/>` +
    '<t:ParentFolderId Id="AAMkADhkNTQ5YzQ1LTk3" ChangeKey="AQAAAA=="/></t:NewMailEvent></m:Notification>' +
    '</m:Notifications></m:GetStreamingEventsResponseMessage></m:ResponseMessages></m:GetStreamingEventsResponse>' +
    `</${prefix}Body></${prefix}Envelope>`
  );
}
