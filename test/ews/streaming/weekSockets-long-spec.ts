import { expect } from 'chai';
import { asyncScheduler, filter, firstValueFrom, of, startWith, Subject, Subscription } from 'rxjs';
import type { ReleaseOutcome } from '../../../lib/core/lifecycle/releaseOutcome.ts';
import type { EwsEvent, GapReason } from '../../../lib/ews/protocol/events.ts';
import { bearer } from '../../../lib/core/auth/auth.ts';
import { connectExchange } from '../../../lib/ews/connect.ts';
import { streamingNotifications } from '../../../lib/ews/streaming/streaming.ts';
import type { EwsDialect } from '../../../lib/testing/ews/dialect.ts';
import { ewsSimulator } from '../../../lib/testing/ews/simulator.ts';
import { serve, type Served } from '../../../lib/testing/http/serve.ts';
import { type SocketProxy, socketProxy } from '../../support/net/socketProxy.ts';

const MAILBOXES = ['ann', 'bob', 'cid'].map((name) => `${name}@contoso.example`);
const EACH = 3;

/** A mailbox, and its delivered mails. */
interface Box {
  readonly deliver: () => string;
  readonly sent: { readonly id: string; readonly at: number }[];
}

/** The record of one subscriber of one mailbox. */
interface Watcher {
  readonly box: Box;
  readonly mails: string[];
  readonly gaps: { readonly reason: GapReason; readonly seenAt: number }[];
  events: number;
}

describe('A week of streams in short, over real sockets', () => {
  let served: Served | undefined;
  let proxy: SocketProxy | undefined;

  afterEach(async () => {
    await proxy?.close();
    await served?.close();
  });

  for (const dialect of ['exchange', 'grommunio'] satisfies EwsDialect[]) {
    it(`emits each mail once and in order, or a gap, with ${dialect}`, async () => {
      const server = ewsSimulator({ dialect, token: 'token-0', heartbeatSeconds: 0.1, chunkBytes: 61 });
      // Requests through the proxy have its port.
      served = await serve(server.transport, { allowedHosts: ['127.0.0.1'] });
      const wire = await socketProxy(served.port, '<m:GetStreamingEvents>');
      proxy = wire;
      let token = 'token-0';
      const exchange = connectExchange({
        server: `${wire.origin}/EWS/Exchange.asmx`,
        auth: bearer(() => of(token)),
        retry: { initialMs: 10, maxMs: 100 },
        limits: { silenceSeconds: 5 },
      });
      const outcomes: ReleaseOutcome[] = [];
      exchange.releases.outcomes$.subscribe((outcome) => outcomes.push(outcome));

      const watchers: Watcher[] = [];
      const errors: unknown[] = [];
      const seen = new Subject<void>();
      const all = new Subscription();
      const see = (watcher: Watcher, event: EwsEvent): void => {
        watcher.events += 1;
        if (event.type === 'newMail') watcher.mails.push(event.item!.id);
        if (event.type === 'gap') watcher.gaps.push({ reason: event.reason, seenAt: asyncScheduler.now() });
        seen.next();
      };
      const boxes = MAILBOXES.map((address): Box => {
        const mailbox = server.mailbox(address);
        const box: Box = { deliver: () => mailbox.deliverMail(), sent: [] };
        const own = exchange.actingAs({ primarySmtpAddress: address });
        for (let each = 0; each < EACH; each += 1) {
          const watcher: Watcher = { box, mails: [], gaps: [], events: 0 };
          watchers.push(watcher);
          all.add(
            streamingNotifications(own, { folders: ['inbox'], events: ['newMail'] }).subscribe({
              next: (event) => see(watcher, event),
              error: (error: unknown) => {
                errors.push(error);
                seen.next();
              },
            }),
          );
        }
        return box;
      });

      const until = (holds: () => boolean): Promise<unknown> =>
        firstValueFrom(
          seen.pipe(
            startWith(undefined),
            filter(() => errors.length > 0 || holds()),
          ),
        );
      const deliver = (): void => {
        for (const { deliver: mail, sent } of boxes) sent.push({ id: mail(), at: asyncScheduler.now() });
      };
      /** Delivers mails until every subscriber has seen a new one. */
      const goesOn = async (): Promise<void> => {
        const before = boxes.map(({ sent }) => sent.length);
        const isBack = ({ box, mails }: Watcher): boolean => {
          const from = box.sent.findIndex(({ id }) => id === mails.at(-1));
          return from >= before[boxes.indexOf(box)]!;
        };
        while (errors.length === 0 && !watchers.every(isBack)) {
          deliver();
          const counts = watchers.map(({ events }) => events);
          await until(() => watchers.every(({ events }, index) => events > counts[index]!));
        }
      };

      await goesOn();
      const incidents: readonly (readonly [gap: GapReason | undefined, happen: () => void])[] = [
        [undefined, (): void => server.closeStreams()],
        ['connectionLost', (): void => wire.reset()],
        [
          undefined,
          (): void => {
            token = 'token-1';
            server.setToken(token);
            server.closeStreams('end');
          },
        ],
        ['connectionLost', (): void => wire.halfClose()],
        ['subscriptionLost', (): void => server.restart()],
        ['connectionLost', (): void => server.closeStreams('reset')],
        ['connectionLost', (): void => server.stallStreams()],
      ];
      const recorded = watchers.map((): (GapReason | undefined)[] => []);
      for (const [, happen] of incidents) {
        const before = watchers.map(({ gaps }) => gaps.length);
        // Just before it, and just after it.
        deliver();
        happen();
        await goesOn();
        watchers.forEach(({ gaps }, index) => recorded[index]!.push(gaps[before[index]!]?.reason));
      }
      all.unsubscribe();
      await wire.left();
      const report = await exchange.drain();

      expect(errors).to.deep.equal([]);
      const expected = incidents.map(([gap]) => gap);
      for (const gaps of recorded) expect(gaps).to.deep.equal(expected);
      for (const { mails, gaps, box } of watchers) {
        const found = new Set(mails);
        expect(mails, 'once, in order').to.deep.equal(
          box.sent.flatMap(({ id }) => (found.has(id) ? [id] : [])),
        );
        const unreported = box.sent.filter(
          ({ id, at }) => !found.has(id) && !gaps.some(({ seenAt }) => at <= seenAt && seenAt <= at + 10_000),
        );
        expect(unreported, 'every loss has a gap').to.deep.equal([]);
      }
      expect(report.clean).to.equal(true);
      expect(server.subscriptions).to.deep.equal([]);
      const count = (name: ReleaseOutcome['outcome']): number =>
        outcomes.filter(({ outcome }) => outcome === name).length;
      expect(count('Released'), 'those that were left').to.equal(watchers.length);
      expect(count('EndedByServer'), 'those that the restart took').to.equal(watchers.length);
      expect(outcomes).to.have.length(2 * watchers.length);
    }).timeout(60_000);
  }
});
