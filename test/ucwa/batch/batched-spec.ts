import { expect } from 'chai';
import { timer } from 'rxjs';
import type { HttpRequest } from '../../../lib/core/transport/transport.ts';
import type { UcwaSimulatorOptions } from '../../../lib/testing/ucwa/options.ts';
import type { UcwaOptions } from '../../../lib/ucwa/options.ts';
import { presence } from '../../../lib/ucwa/presence/presence.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';
import { type Connected, connected, type ConnectedOptions, record, type Recording } from '../connected.ts';
import { batching } from '../../../lib/ucwa/batch/batched.ts';
import { bearer } from '../../../lib/core/auth/auth.ts';

const people = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `sip:c${index}@contoso.com`);

const each = ({ ucwa }: Connected, count: number): Recording[] =>
  people(count).map((uri) => record(presence(ucwa, { uris: [uri] })));

const leave = (all: readonly Recording[]): void =>
  all.forEach(({ subscription }) => subscription.unsubscribe());

/** Returns the number of parts of each batch, and the method of other requests. */
const carried = ({ server }: Connected, from = 0): (number | string)[] =>
  server.requests
    .slice(from)
    .filter(({ path }) => !path.includes('/events'))
    .map(({ method, parts }) => parts?.length ?? method);

const set = (simulated: UcwaSimulatorOptions = {}, options: ConnectedOptions = {}): Connected =>
  connected({ latencyMs: 20, ...simulated }, options);

const isRemoval = ({ method, url }: HttpRequest): boolean =>
  method === 'DELETE' && url.includes('/presenceSubscriptions/');

const isCreationOf =
  (uri: string) =>
  ({ url, body }: HttpRequest): boolean =>
    url.endsWith('/presenceSubscriptions') && body?.includes(uri) === true;

describe('batches of a connection', () => {
  const limits: readonly (readonly [string, Partial<UcwaOptions>, number, number])[] = [
    ['20 parts, the default', {}, 20, 51],
    ['100 parts', { batch: batching({ maxParts: 100 }) }, 100, 11],
  ];
  for (const [name, options, size, most] of limits) {
    it(`release 1,000 resources and the application with at most ${most} requests: ${name}`, function () {
      this.timeout(60_000);
      const made = set({}, options);
      const { server, outcomes } = made;
      let before = 0;
      inVirtualTime(() => {
        const all = each(made, 1000);
        timer(60_000).subscribe(() => {
          expect(server.presenceSubscriptions).to.have.length(1000);
          before = server.requests.length;
          leave(all);
        });
      });
      const sent = carried(made, before);
      expect(sent).to.have.length.at.most(most);
      expect(sent).to.deep.equal([...Array.from({ length: 1000 / size }, () => size), 'DELETE']);
      expect(outcomes.map(({ outcome }) => outcome)).to.deep.equal(
        Array.from({ length: 1001 }, () => 'Released'),
      );
      expect(server.presenceSubscriptions).to.deep.equal([]);
      expect(server.applications).to.deep.equal([]);
    });
  }

  it('create simultaneous subscriptions together, except the first, which does not wait', () => {
    const made = set();
    inVirtualTime(() => {
      const all = each(made, 42);
      timer(1000).subscribe(() => {
        expect(made.server.presenceSubscriptions).to.have.length(42);
        leave(all);
      });
    });
    expect(carried(made)).to.deep.equal(['POST', 'POST', 20, 20, 'POST', 20, 20, 2, 'DELETE']);
  });

  it('send a single request at once and unbatched', () => {
    const made = set({ latencyMs: 0 });
    inVirtualTime(() => {
      const all = each(made, 1);
      expect(carried(made)).to.deep.equal(['POST', 'POST']);
      leave(all);
    });
    expect(carried(made)).to.deep.equal(['POST', 'POST', 'DELETE', 'DELETE']);
  });

  it('sign the batch and none of its parts', () => {
    const made = set();
    inVirtualTime(() => {
      const all = each(made, 3);
      timer(1000).subscribe(() => leave(all));
    });
    const batches = made.server.requests.filter(({ parts }) => parts !== undefined);
    expect(batches).to.have.length(2);
    for (const { headers, body } of batches) {
      expect(headers).to.include({ authorization: 'Bearer …' });
      expect(body).not.to.match(/authorization/i);
    }
  });

  it('are off if the caller disables them', () => {
    const made = set({}, { batch: false });
    inVirtualTime(() => {
      const all = each(made, 3);
      timer(1000).subscribe(() => leave(all));
    });
    expect(carried(made)).to.deep.equal([
      'POST',
      'POST',
      'POST',
      'POST',
      'DELETE',
      'DELETE',
      'DELETE',
      'DELETE',
    ]);
  });

  it('exclude events, the application and other origins', () => {
    const made = set();
    const { ucwa, server } = made;
    inVirtualTime(() => {
      const all = each(made, 5);
      timer(1000).subscribe(() => {
        for (const href of ['/ucwa/oauth/v1/applications/101', '/ucwa/oauth/v1/other/7']) {
          ucwa.get({ href }).subscribe({ error: () => undefined });
        }
        leave(all);
      });
    });
    const together = server.requests.flatMap(({ parts = [] }) => parts).map(({ path }) => path);
    expect(together).to.have.length(9);
    for (const path of together) expect(path).to.contain('/101/people/presenceSubscriptions');
  });

  it('fail only the request whose part is refused', () => {
    const made = set();
    const { server } = made;
    inVirtualTime(() => {
      server.failNext(1, { status: 403 }, isCreationOf('sip:c2@'));
      const all = each(made, 4);
      timer(1000).subscribe(() => {
        expect(all.map(({ error }) => error !== undefined)).to.deep.equal([false, false, true, false]);
        expect(server.presenceSubscriptions).to.have.length(3);
        leave(all);
      });
    });
    expect(carried(made)).to.deep.equal(['POST', 'POST', 3, 3, 'DELETE']);
    expect(server.presenceSubscriptions).to.deep.equal([]);
  });

  it('halve and wait when the server refuses the size', () => {
    const made = set({ maxBatchParts: 10 }, { batch: batching({ maxParts: 40 }) });
    const { server, outcomes } = made;
    let before = 0;
    let leftAt = 0;
    inVirtualTime(() => {
      const all = each(made, 40);
      timer(60_000).subscribe(() => {
        before = server.requests.length;
        leftAt = server.requests.at(-1)!.time;
        leave(all);
      });
    });
    const batches = server.requests.slice(before).filter(({ path }) => path.endsWith('/batch'));
    expect(batches[0]).to.include({ status: 429 });
    expect(Math.max(...batches.flatMap(({ parts }) => parts?.length ?? []))).to.be.at.most(10);
    expect(batches.at(-1)!.time - leftAt, 'it waits').to.be.greaterThan(100);
    expect(outcomes.every(({ outcome }) => outcome === 'Released')).to.equal(true);
    expect(server.applications).to.deep.equal([]);
  });

  it('learn the result of unanswered releases from the retry', () => {
    const made = set();
    const { server, outcomeLines } = made;
    inVirtualTime(() => {
      const all = each(made, 3);
      timer(1000).subscribe(() => {
        server.failNext(1, 'resetAfterActing', isRemoval);
        leave(all);
      });
    });
    expect(carried(made)).to.include.members([2, 3]);
    expect(server.presenceSubscriptions).to.deep.equal([]);
    expect(outcomeLines().every((line) => /Released|AlreadyGone/.test(line))).to.equal(true);
  });

  it('report Unknown for all creations when the batch response was lost', () => {
    const made = set();
    const { server, outcomeLines } = made;
    inVirtualTime(() => {
      const [first, ...others] = each(made, 1);
      timer(100).subscribe(() => {
        server.failNext(1, 'resetAfterActing', isCreationOf('sip:d1@'));
        const late = ['sip:d0@contoso.com', 'sip:d1@contoso.com', 'sip:d2@contoso.com'].map((uri) =>
          record(presence(made.ucwa, { uris: [uri] })),
        );
        timer(1000).subscribe(() => leave([first!, ...others, ...late]));
      });
    });
    expect(outcomeLines().filter((line) => line === 'presenceSubscription Unknown')).to.have.length(2);
  });

  it('renew a refused token once and send the batch again', () => {
    const asked: string[] = [];
    const made = set(
      {},
      {
        auth: bearer((origin: string) => {
          asked.push(origin);
          return `token${asked.length}`;
        }),
      },
    );
    const { server, outcomes } = made;
    inVirtualTime(() => {
      const all = each(made, 3);
      timer(1000).subscribe(() => {
        server.failNext(1, { status: 401 }, ({ url }) => url.endsWith('/batch'));
        leave(all);
      });
    });
    expect(asked).to.have.length(2);
    expect(outcomes.map(({ outcome }) => outcome)).to.deep.equal(Array.from({ length: 4 }, () => 'Released'));
    expect(server.applications).to.deep.equal([]);
  });
});
