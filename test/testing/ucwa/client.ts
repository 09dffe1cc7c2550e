import { expect } from 'chai';
import { mergeMap, type Observable, Subscription } from 'rxjs';
import { type HttpRequest, readText } from '../../../lib/core/transport/transport.ts';
import { ucwaSimulator, type UcwaSimulator } from '../../../lib/testing/ucwa/simulator.ts';
import type { UcwaSimulatorOptions } from '../../../lib/testing/ucwa/options.ts';

export interface Recorded {
  status: number | undefined;
  body: unknown;
  error: unknown;
}

export interface Wire {
  readonly link: { readonly rel: string; readonly href: string };
  readonly in?: { readonly rel: string };
  readonly type: string;
}

export const ORIGIN: string = 'https://ucwa.example';
export const APPLICATIONS: string = '/ucwa/oauth/v1/applications';
export const APP: string = `${APPLICATIONS}/101`;
export const SUBSCRIPTIONS: string = `${APP}/people/presenceSubscriptions`;
export const FIRST: string = `${SUBSCRIPTIONS}/97b6bd66`;
export const IDENTITY = { culture: 'en-us', endpointId: '1', userAgent: 'spec' };
export const SARA: string = 'sip:sara@contoso.com';

/** The pending GETs when a spec ends. */
let pendingRequests = new Subscription();

/** A client that sends the given requests. */
export class Client {
  readonly server: UcwaSimulator;

  constructor(options: UcwaSimulatorOptions = {}) {
    this.server = ucwaSimulator(options);
  }

  ask(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Recorded & { readonly sent: Subscription } {
    const request: HttpRequest = {
      method,
      url: `${ORIGIN}${path}`,
      headers: {
        authorization: 'Bearer t',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    };
    const recorded: Recorded = { status: undefined, body: undefined, error: undefined };
    const answer$: Observable<string> = this.server.transport(request).pipe(
      mergeMap((response) => {
        recorded.status = response.status;
        return readText(response, 'body');
      }),
    );
    const sent = answer$.subscribe({
      next: (text) => (recorded.body = text === '' ? '' : (JSON.parse(text) as unknown)),
      error: (error: unknown) => (recorded.error = error),
    });
    pendingRequests.add(sent);
    return Object.assign(recorded, { sent });
  }

  application(): void {
    expect(this.ask('POST', APPLICATIONS, IDENTITY).status).to.equal(201);
  }

  subscribe(...uris: readonly string[]): void {
    expect(this.ask('POST', SUBSCRIPTIONS, { duration: 10, uris }).status).to.equal(201);
  }

  events(ack: number, query = ''): Recorded & { readonly sent: Subscription } {
    return this.ask('GET', `${APP}/events?ack=${ack}${query}`);
  }
}

export const eventsIn = ({ body }: Recorded): string[] => {
  const { sender = [] } = body as { readonly sender?: readonly { readonly events: readonly Wire[] }[] };
  return sender.flatMap(({ events }) => events.map(({ type, link }) => `${type} ${link.rel}`));
};

export const linksIn = ({ body }: Recorded): Record<string, string> => {
  const { _links } = body as { readonly _links: Record<string, { readonly href: string }> };
  return Object.fromEntries(
    Object.entries(_links).map(([rel, { href }]) => [rel, href.replace(`${APP}/`, '')]),
  );
};

/** Unsubscribes from the pending GETs; call it after each spec. */
export function cancelPending(): void {
  pendingRequests.unsubscribe();
  pendingRequests = new Subscription();
}
