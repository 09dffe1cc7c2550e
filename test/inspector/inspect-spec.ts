import { expect } from 'chai';
import type { Observable } from 'rxjs';
import { bearer, releaseLedger } from '../../lib/index.ts';
import { connectExchange, pullNotifications } from '../../lib/ews/index.ts';
import { inspect, type InspectorRecord } from '../../lib/inspector/index.ts';
import { ewsSimulator, ucwaSimulator } from '../../lib/testing/index.ts';
import { connectUcwa, contactPresence, presence, presenceBoard } from '../../lib/ucwa/index.ts';
import { at, inVirtualTime } from '../support/virtualTime.ts';

const SARA = 'sip:sara@contoso.com';
const INBOX = { folders: ['inbox'], events: ['newMail'] } as const;

/** Records everything, and returns the records as short lines without times. */
function recorded(records$: Observable<InspectorRecord>): string[] {
  const lines: string[] = [];
  records$.subscribe((record) => {
    lines.push(lineOf(record));
  });
  return lines;
}

function lineOf(record: InspectorRecord): string {
  switch (record.type) {
    case 'stream':
      return `${numberOf(record)} ${record.name} ${record.state}`;
    case 'event':
      return `${numberOf(record)} ${record.summary}`;
    case 'release':
      return `${numberOf(record)} ${record.resource} ${record.state}`;
    case 'status':
      return `status ${record.state}`;
    case 'request':
      return `${record.method} ${record.status ?? record.end}`;
    case 'connection':
    case 'server':
      return record.type;
  }
}

const numberOf = ({ stream = '-' }: { readonly stream?: string }): string => stream.replace(/^.* /, '');

const ofType =
  (...types: InspectorRecord['type'][]) =>
  (record: InspectorRecord): boolean =>
    types.includes(record.type);

function exchangeOn({ url, transport }: Pick<ReturnType<typeof ewsSimulator>, 'transport' | 'url'>) {
  return connectExchange({ server: url, transport });
}

function ucwaOn({ url, transport }: Pick<ReturnType<typeof ucwaSimulator>, 'transport' | 'url'>) {
  return connectUcwa({ server: url, auth: bearer('secret'), transport });
}

describe('inspect', () => {
  it('reports a stream, its events and its release', () =>
    inVirtualTime(() => {
      const server = ucwaSimulator({ mediumSeconds: 0 });
      const ucwa = ucwaOn(server);
      const records: InspectorRecord[] = [];
      inspect(ucwa).subscribe((record) => records.push(record));
      const watching = presence(ucwa, { uris: [SARA] }).subscribe();
      at(1, () => watching.unsubscribe());
      at(20, () => {
        expect(records.filter(ofType('stream', 'event', 'release')).map(lineOf)).to.deep.equal([
          '1 presence subscribed',
          '1 presence created',
          '1 added contact',
          '1 added presenceSubscription',
          '1 updated contactPresence',
          '1 presence unsubscribed',
          '1 presenceSubscription pending',
          '1 presenceSubscription Released',
          '- application pending',
          '- application Released',
        ]);
        expect(records.find(ofType('stream'))).to.include({ detail: SARA, connection: 'UCWA', at: 0 });
      });
    }));

  it('reports requests and every change of the status', () =>
    inVirtualTime(() => {
      const exchange = exchangeOn(ewsSimulator());
      const lines = recorded(inspect(exchange));
      const watching = pullNotifications(exchange, INBOX).subscribe();
      at(0.1, () => watching.unsubscribe());
      at(0.2, () => {
        expect(lines.filter((line) => /^(status|POST)/.test(line))).to.deep.equal([
          'status idle',
          'status connecting',
          'status live',
          'POST 200',
          'POST 200',
          'status idle',
          'POST 200',
        ]);
      });
    }));

  it('attributes a late creation to the stream that has left', () =>
    inVirtualTime(() => {
      const server = ewsSimulator();
      const exchange = exchangeOn(server);
      const lines = recorded(inspect(exchange));
      server.failNext(1, { delayMs: 200 });
      const watching = pullNotifications(exchange, INBOX).subscribe();
      at(0.06, () => watching.unsubscribe());
      at(1, () => {
        expect(lines.filter((line) => line.startsWith('1 '))).to.deep.equal([
          '1 pullNotifications subscribed',
          '1 pullNotifications unsubscribed',
          '1 PullSubscription pending',
          '1 PullSubscription pending',
          '1 PullSubscription Released',
        ]);
      });
    }));

  it('reports the id of each subscription, and of its release', () =>
    inVirtualTime(() => {
      const server = ucwaSimulator({ mediumSeconds: 0 });
      const ucwa = ucwaOn(server);
      const records: InspectorRecord[] = [];
      inspect(ucwa).subscribe((record) => records.push(record));
      const watching = presence(ucwa, { uris: [SARA] }).subscribe();
      at(1, () => server.expire());
      at(20, () => watching.unsubscribe());
      at(40, () => {
        const created = records.filter((record) => record.type === 'stream' && record.state === 'created');
        expect(created).to.have.length(2);
        expect(created[1])
          .to.have.property('id')
          .that.matches(/presenceSubscriptions/);
        expect(created[1]).to.not.have.property('id', (created[0] as { readonly id?: string }).id);
        const released = records.find((record) => record.type === 'release' && record.state === 'Released');
        expect(released).to.include({ stream: 'UCWA 1', id: (created[1] as { readonly id?: string }).id });
      });
    }));

  it('attributes a release after a grace period to the first stream', () =>
    inVirtualTime(() => {
      const ucwa = ucwaOn(ucwaSimulator({ mediumSeconds: 0 }));
      const lines = recorded(inspect(ucwa));
      const shared$ = presenceBoard(ucwa, [SARA], { graceSeconds: 5 });
      const watching = shared$.subscribe();
      watching.add(shared$.subscribe());
      at(10, () => watching.unsubscribe());
      at(40, () => {
        expect(lines.filter((line) => line.includes('created'))).to.deep.equal(['1 presenceBoard created']);
        expect(lines)
          .to.include('1 presenceSubscription Released')
          .and.include('2 presenceBoard unsubscribed');
      });
    }));

  it('reports what the server responds to a release', () =>
    inVirtualTime(() => {
      const records: InspectorRecord[] = [];
      const ews = ewsSimulator();
      const exchange = exchangeOn(ews);
      const ucwa = ucwaOn(ucwaSimulator());
      for (const one of [exchange, ucwa]) inspect(one).subscribe((record) => records.push(record));
      const watching = pullNotifications(exchange, INBOX).subscribe();
      watching.add(presence(ucwa, { uris: [SARA] }).subscribe());
      at(1, () => watching.unsubscribe());
      at(40, () => {
        const responses = records.flatMap((record) =>
          record.type === 'release' && record.state === 'Released'
            ? [`${record.resource} ${record.response}`]
            : [],
        );
        expect(responses).to.have.members([
          'PullSubscription NoError',
          'presenceSubscription 204',
          'application 204',
        ]);
      });
    }));

  it('reports a stream that fails, with its error', () =>
    inVirtualTime(() => {
      const server = ewsSimulator();
      server.failNext(1, { status: 403 });
      const exchange = exchangeOn(server);
      const records: InspectorRecord[] = [];
      inspect(exchange).subscribe((record) => records.push(record));
      pullNotifications(exchange, INBOX).subscribe({ error: () => undefined });
      at(0.1, () => {
        const last = records.filter(ofType('stream')).at(-1);
        expect(last).to.include({ state: 'failed' });
        expect(last).to.have.nested.property('error.name', 'HttpError');
      });
    }));

  it('gives several inspectors the same numbers', () =>
    inVirtualTime(() => {
      const exchange = exchangeOn(ewsSimulator());
      const one = recorded(inspect(exchange));
      const watching = pullNotifications(exchange, INBOX).subscribe();
      const other = recorded(inspect(exchange));
      watching.add(pullNotifications(exchange, INBOX).subscribe());
      at(0.1, () => watching.unsubscribe());
      at(1, () => {
        expect(other).to.include('2 pullNotifications unsubscribed');
        expect(one).to.include('2 pullNotifications unsubscribed');
      });
    }));

  it('reports the end of streams that were subscribed to before', () =>
    inVirtualTime(() => {
      const server = ucwaSimulator();
      const ucwa = ucwaOn(server);
      const watching = presence(ucwa, { uris: [SARA] }).subscribe();
      const lines = recorded(inspect(ucwa));
      watching.unsubscribe();
      expect(lines.filter((line) => line.includes('presence '))).to.deep.equal([
        '1 presence subscribed',
        '1 presence unsubscribed',
      ]);
    }));

  it('records nothing after its last subscriber', () => {
    const ledger = releaseLedger();
    const { status$, activity$ } = ucwaOn(ucwaSimulator());
    const inspecting = inspect({ releases: ledger, status$, activity$ }).subscribe();
    expect(ledger.inspection).to.be.an('object');
    inspecting.unsubscribe();
    expect(ledger.inspection).to.equal(undefined);
  });

  it('reports the completion of streams when the connection is closed', () =>
    inVirtualTime(() => {
      const ucwa = ucwaOn(ucwaSimulator());
      const lines = recorded(inspect(ucwa));
      presence(ucwa, { uris: [SARA] }).subscribe();
      at(0.01, () => void ucwa.close());
      at(5, () => {
        expect(lines).to.include('1 presence completed');
        expect(lines.at(-1)).to.match(/application Released|status closed|DELETE/);
      });
    }));

  it('describes states and boards', () =>
    inVirtualTime(() => {
      const ucwa = ucwaOn(ucwaSimulator({ mediumSeconds: 0 }));
      const records: InspectorRecord[] = [];
      inspect(ucwa, { name: 'pool' }).subscribe((record) => records.push(record));
      contactPresence(ucwa, [SARA]).subscribe();
      presenceBoard(ucwa, [SARA]).subscribe();
      at(20, () => void ucwa.close());
      at(21, () => {
        const events = records.filter(ofType('event'));
        expect(events.map(lineOf)).to.include.members([`1 ${SARA} Offline`, '2 1 entry']);
        expect(events[0]).to.include({ connection: 'pool' });
      });
    }));

  it('emits records that JSON can carry', () =>
    inVirtualTime(() => {
      const server = ewsSimulator();
      const exchange = exchangeOn(server);
      const records: InspectorRecord[] = [];
      inspect(exchange).subscribe((record) => records.push(record));
      const watching = pullNotifications(exchange, INBOX).subscribe();
      at(0.01, () => server.deliverMail());
      at(59, () => watching.unsubscribe());
      at(60, () => {
        expect(records.map(lineOf)).to.include('1 newMail item');
        expect(JSON.parse(JSON.stringify(records))).to.deep.equal(records);
      });
    }));

  it('shows no query of a URL', () =>
    inVirtualTime(() => {
      const ucwa = ucwaOn(ucwaSimulator({ mediumSeconds: 0 }));
      const records: InspectorRecord[] = [];
      inspect(ucwa).subscribe((record) => records.push(record));
      const watching = ucwa.batches$.subscribe();
      watching.add(presence(ucwa, { uris: [SARA] }).subscribe());
      at(5, () => watching.unsubscribe());
      at(40, () => {
        expect(records.filter((record) => JSON.stringify(record).includes('?ack'))).to.deep.equal([]);
        expect(records.some((record) => record.type === 'release' && record.id !== undefined)).to.equal(true);
      });
    }));

  for (const connection of [undefined, null, {}, { releases: {} }, 'connection'])
    it(`throws for ${JSON.stringify(connection)}`, () => {
      expect(() => inspect(connection as never)).to.throw(TypeError, 'connection must be what connectUcwa()');
    });

  it('throws for an unknown option', () => {
    const ucwa = ucwaOn(ucwaSimulator());
    expect(() => inspect(ucwa, { nam: 'x' } as never)).to.throw(TypeError, /unknown name "nam".*name/);
  });
});
