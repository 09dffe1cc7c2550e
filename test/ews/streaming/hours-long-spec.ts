import { expect } from 'chai';
import { asyncScheduler, of, timer } from 'rxjs';
import type { EwsEvent, GapEvent } from '../../../lib/ews/protocol/events.ts';
import { bearer } from '../../../lib/core/auth/auth.ts';
import { connectExchange } from '../../../lib/ews/connect.ts';
import { type Exchange } from '../../../lib/ews/session/session.ts';
import { streamingNotifications } from '../../../lib/ews/streaming/streaming.ts';
import type { EwsDialect } from '../../../lib/testing/ews/dialect.ts';
import { ewsSimulator } from '../../../lib/testing/ews/simulator.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';

const HOUR_MS = 3_600_000;
const HOURS = 9;
const MAILBOXES = 5;
const EACH = 12;

/** The record of one subscriber. */
interface Watcher {
  readonly mails: string[];
  readonly gaps: (GapEvent & { readonly seenAt: number })[];
}

describe('Sixty streams of five users, over nine hours', () => {
  for (const dialect of ['exchange', 'grommunio'] satisfies EwsDialect[]) {
    it(`emit each mail once and in order, or a gap, with ${dialect}`, () => {
      const server = ewsSimulator({ dialect, token: 'token-0', latencyMs: 200, heartbeatSeconds: 40 });
      const watchers: Watcher[] = [];
      const services: Exchange[] = [];
      const sent: { readonly id: string; readonly at: number }[] = [];
      const errors: unknown[] = [];
      const counts: number[] = [];
      let left = -1;
      let streams = -1;
      let pending = 0;
      let hour = 0;

      const see = ({ mails, gaps }: Watcher, event: EwsEvent): void => {
        if (event.type === 'newMail') mails.push(event.item!.id);
        if (event.type === 'gap') gaps.push({ ...event, seenAt: asyncScheduler.now() });
      };

      inVirtualTime(() => {
        for (let mailbox = 0; mailbox < MAILBOXES; mailbox += 1) {
          const exchange = connectExchange({
            server: server.url,
            transport: server.transport,
            auth: bearer(() => of(`token-${hour}`)),
            impersonate: { primarySmtpAddress: `user${mailbox}@contoso.example` },
          });
          services.push(exchange);
          exchange.releases.pending$.subscribe((count) => (pending = Math.max(count, 0)));
          for (let each = 0; each < EACH; each += 1) {
            const watcher: Watcher = { mails: [], gaps: [] };
            watchers.push(watcher);
            timer(each * 50).subscribe(() => {
              const watching = streamingNotifications(exchange, {
                folders: ['inbox'],
                events: ['newMail'],
              }).subscribe({
                next: (event) => see(watcher, event),
                error: (error: unknown) => errors.push(error),
              });
              timer(HOURS * HOUR_MS - each * 50).subscribe(() => watching.unsubscribe());
            });
          }
        }
        for (let minute = 1; minute < HOURS * 60 - 10; minute += 7) {
          timer(minute * 60_000).subscribe(() => {
            sent.push({ id: server.deliverMail(), at: asyncScheduler.now() });
          });
        }
        // Tokens last an hour, the server restarts every three, and the network fails silently twice.
        for (let each = 1; each < HOURS; each += 1) {
          timer(each * HOUR_MS - 1000).subscribe(() => {
            hour = each;
            server.setToken(`token-${each}`);
          });
        }
        for (const each of [3, 6]) timer(each * HOUR_MS + 100_000).subscribe(() => server.restart());
        for (const each of [1.5, 4.7]) timer(each * HOUR_MS + 33_000).subscribe(() => server.stallStreams());
        for (let each = 1; each < HOURS; each += 1) {
          timer(each * HOUR_MS - 30_000).subscribe(() => counts.push(server.subscriptions.length));
        }
        timer(HOURS * HOUR_MS + 60_000).subscribe(() => {
          left = server.subscriptions.length;
          streams = server.streams.length;
        });
      });

      expect(errors).to.deep.equal([]);
      expect(counts, 'what is on the server is what is alive here').to.deep.equal(
        Array<number>(HOURS - 1).fill(MAILBOXES * EACH),
      );
      expect([left, streams, pending]).to.deep.equal([0, 0, 0]);
      for (const { mails, gaps } of watchers) {
        const expected = sent.filter(({ id }) => mails.includes(id)).map(({ id }) => id);
        expect(mails, 'once, in order').to.deep.equal(expected);
        const unreported = sent.filter(
          ({ id, at }) =>
            !mails.includes(id) &&
            !gaps.some(({ since, seenAt }) => (since?.getTime() ?? 0) <= at && at <= seenAt),
        );
        expect(unreported, 'every loss has a gap').to.deep.equal([]);
        // Two restarts and two silent failures; the end of a request after half an hour causes no gap.
        expect(gaps.map(({ reason }) => reason)).to.deep.equal([
          'connectionLost',
          'subscriptionLost',
          'connectionLost',
          'subscriptionLost',
        ]);
      }
      const connections = server.requests.filter(({ operation }) => operation === 'GetStreamingEvents');
      expect(connections.length, 'few connections').to.be.below(MAILBOXES * HOURS * 4);
    }).timeout(120_000);
  }
});
