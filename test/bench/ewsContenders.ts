import { SaxesParser } from 'saxes';
import { messageParser } from '../../lib/ews/protocol/parser.ts';
import type { EwsMessage } from '../../lib/ews/protocol/messages.ts';
import { peer } from './benchmark.ts';

/** This library: typed events, in memory. */
export function readByRxchange(chunks: readonly Uint8Array[]): number {
  const messages: EwsMessage[] = [];
  const parser = messageParser((message) => messages.push(message));
  for (const chunk of chunks) parser.write(chunk);
  parser.end();
  return messages
    .flatMap((message) => (message.type === 'response' ? message.notifications : []))
    .reduce((sum, { events }) => sum + events.length, 0);
}

/** The lower bound: only the XML parser, without handlers, and a new one per envelope. */
export function readByEmptySaxes(envelopes: readonly (readonly Uint8Array[])[]): number {
  let tags = 0;
  for (const chunks of envelopes) {
    const decoder = new TextDecoder();
    const parser = new SaxesParser({ xmlns: false, position: false });
    parser.on('opentag', () => {
      tags += 1;
    });
    parser.on('text', () => undefined);
    parser.on('closetag', () => undefined);
    for (const chunk of chunks) parser.write(decoder.decode(chunk, { stream: true }));
    parser.close();
  }
  return tags;
}

interface EwsJavascriptApi {
  readonly ExchangeService: new () => object;
}

interface XmlReader {
  readonly JsObject: { readonly Body: { readonly GetEventsResponse: ResponsesInIt } };
}

interface ResponsesInIt {
  readonly ResponseMessages: { readonly GetEventsResponseMessage: object };
}

interface Results {
  readonly AllEvents: readonly object[];
  LoadFromXmlJsObject(message: object, service: object): void;
}

/** ews-javascript-api: its DOM, its objects, and its results. */
export async function readerByEwsJavascriptApi(): Promise<
  (envelopes: readonly (readonly Uint8Array[])[]) => number
> {
  const { ExchangeService } = await peer<EwsJavascriptApi>('ews-javascript-api');
  const { EwsServiceXmlReader } = await peer<{
    readonly EwsServiceXmlReader: new (xml: string, service: object) => XmlReader;
  }>('ews-javascript-api/js/Core/EwsServiceXmlReader.js');
  const { GetEventsResults } = await peer<{ readonly GetEventsResults: new () => Results }>(
    'ews-javascript-api/js/Notifications/GetEventsResults.js',
  );
  const service = new ExchangeService();
  return (envelopes) => {
    let events = 0;
    for (const chunks of envelopes) {
      const reader = new EwsServiceXmlReader(Buffer.concat(chunks).toString(), service);
      const results = new GetEventsResults();
      const { ResponseMessages: messages } = reader.JsObject.Body.GetEventsResponse;
      results.LoadFromXmlJsObject(messages.GetEventsResponseMessage, service);
      events += results.AllEvents.length;
    }
    return events;
  };
}

/** fast-xml-parser: a tree without types. */
export async function readerByFastXmlParser(): Promise<
  (envelopes: readonly (readonly Uint8Array[])[]) => number
> {
  const { XMLParser } = await peer<{
    readonly XMLParser: new (options: object) => { parse(xml: string): object };
  }>('fast-xml-parser');
  const parser = new XMLParser({ ignoreAttributes: false, removeNSPrefix: true });
  return (envelopes) => {
    let trees = 0;
    for (const chunks of envelopes) {
      parser.parse(Buffer.concat(chunks).toString());
      trees += 1;
    }
    return trees;
  };
}
