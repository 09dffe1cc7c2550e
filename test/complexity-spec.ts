import { expect } from 'chai';
import { defer, firstValueFrom, lastValueFrom, mergeMap, of, share, Subject, Subscription, tap } from 'rxjs';
import { SaxesParser } from 'saxes';
import { DEFAULT_LIMITS } from '../lib/core/limits.ts';
import { fetchTransport } from '../lib/core/transport/fetch.ts';
import { headersFrom, readText, type Transport } from '../lib/core/transport/transport.ts';
import { withLimits } from '../lib/core/transport/withLimits.ts';
import { connectExchange } from '../lib/ews/connect.ts';
import { messageParser, type ParserOptions } from '../lib/ews/protocol/parser.ts';
import { pullNotifications } from '../lib/ews/pull/pull.ts';
import { ewsSimulator } from '../lib/testing/ews/simulator.ts';
import { ucwaSimulator } from '../lib/testing/ucwa/simulator.ts';
import { eventRouter } from '../lib/ucwa/channel/eventRouter.ts';
import { connectUcwa } from '../lib/ucwa/connect.ts';
import { presence } from '../lib/ucwa/presence/presence.ts';
import { gapEvent, type UcwaEvent } from '../lib/ucwa/protocol/events.ts';
import { eventsAnswer, itemEvent } from './ews/answers.ts';
import { httpServer } from './support/net/httpServer.ts';
import { bearer } from '../lib/core/auth/auth.ts';
import { batching } from '../lib/ucwa/batch/batched.ts';

/** Calls a function this many times, and returns the results. */
function times<Value>(count: number, make: (index: number) => Value): Value[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

const updated = (href: string): UcwaEvent => ({
  type: 'updated',
  link: { rel: 'thing', href },
  sender: { rel: 'people', href: '/people' },
});

/** Counts the deletions from Sets that are created while a function runs. */
function deletions(work: () => void): number {
  const { Set: original } = globalThis;
  let count = 0;
  globalThis.Set = class<Value> extends original<Value> {
    override delete(value: Value): boolean {
      count += 1;
      return super.delete(value);
    }
  };
  try {
    work();
  } finally {
    globalThis.Set = original;
  }
  return count;
}

describe('The cost of', () => {
  for (const subscribers of [1, 100, 10_000]) {
    it(`an event is one call with ${subscribers} subscribers of other resources`, () => {
      const router = eventRouter();
      const called: number[] = [];
      times(subscribers, (index) => router.route(() => called.push(index), new Set([`/things/${index}`])));
      router.publish({ next: '', events: [updated('/things/0'), updated('/things/none')] });
      expect(called).to.deep.equal([0]);
    });
  }

  it('an unsubscribe is independent of the number of subscribers', () => {
    const leaving = (subscribers: number): number =>
      deletions(() => {
        const router = eventRouter();
        const listeners = times(subscribers, (index) => {
          const listener = (): void => undefined;
          router.route(listener, new Set([`/things/${index}`, '/things']));
          return listener;
        });
        listeners.forEach((listener) => router.unregister(listener));
      });
    expect(leaving(100)).to.be.at.least(100);
    expect(leaving(1000)).to.equal(10 * leaving(100));
    expect(leaving(10_000)).to.equal(10 * leaving(1000));
  });

  it('a thousand past subscribers is no listener', () => {
    const router = eventRouter();
    let called = 0;
    router.route(() => (called += 1), new Set(['/things']));
    const listeners = times(1000, () => {
      const listener = (): void => {
        called += 1000;
      };
      router.route(listener, new Set(['/things']));
      return listener;
    });
    listeners.forEach((listener) => router.unregister(listener));
    router.publish({ next: '', events: [updated('/things'), gapEvent('resync', '/events', '/events')] });
    expect(called).to.equal(2);
  });

  it('ending a hundred presence subscriptions together is one request', async () => {
    const server = ucwaSimulator({ mediumSeconds: 0 });
    const methods: string[] = [];
    const transport: Transport = (request) => {
      methods.push(request.method);
      return server.transport(request);
    };
    const ucwa = connectUcwa({
      server: server.url,
      auth: bearer('secret'),
      transport,
      batch: batching({ maxParts: 100 }),
    });
    const all = new Subscription();
    times(250, (index) => all.add(presence(ucwa, { uris: [`sip:user${index}@contoso.com`] }).subscribe()));
    await new Promise((resolve) => setImmediate(resolve));
    expect(server.presenceSubscriptions).to.have.length(250);
    methods.length = 0;
    all.unsubscribe();
    const { clean, outcomes } = await ucwa.drain();
    expect(clean).to.equal(true);
    expect(outcomes).to.have.length(251);
    // Three batches, and the application.
    expect(methods).to.deep.equal(['POST', 'POST', 'POST', 'DELETE']);
  });

  it('ending a pull subscription is one request, within the concurrency limit', async () => {
    const server = ewsSimulator({ latencyMs: 1 });
    let underWay = 0;
    let most = 0;
    const transport: Transport = (request) =>
      defer(() => {
        most = Math.max(most, (underWay += 1));
        return server.transport(request).pipe(tap(() => (underWay -= 1)));
      });
    const exchange = connectExchange({ server: server.url, transport, maxConcurrentRequests: 16 });
    const all = new Subscription();
    await Promise.all(
      times(100, () => {
        const events$ = pullNotifications(exchange, { folders: ['inbox'], events: ['newMail'] }).pipe(
          share(),
        );
        all.add(events$.subscribe());
        return firstValueFrom(events$);
      }),
    );
    const before = server.requests.length;
    all.unsubscribe();
    await exchange.drain();
    expect(server.requests.slice(before).map(({ operation }) => operation)).to.deep.equal(
      times(100, () => 'Unsubscribe'),
    );
    expect(most).to.equal(16);
  });

  it('a request by the default fetch includes no AbortController', async () => {
    const server = await httpServer((_, response) => response.end('small'));
    const { AbortController: original } = globalThis;
    let made = 0;
    globalThis.AbortController = class extends original {
      constructor() {
        super();
        made += 1;
      }
    };
    const ask = (transport: Transport): Promise<string> =>
      lastValueFrom(
        transport({ method: 'GET', url: server.url }).pipe(mergeMap((answer) => readText(answer, 'x'))),
      );
    try {
      expect(await ask(fetchTransport())).to.equal('small');
      expect(made).to.equal(0);
      expect(await ask(fetchTransport((url, init) => fetch(url, init)))).to.equal('small');
      expect(made).to.be.greaterThan(0);
    } finally {
      globalThis.AbortController = original;
      await server.close();
    }
  });

  it('reading a body is one timer for all its chunks', () => {
    const { setInterval: original } = globalThis;
    const body = new Subject<Uint8Array>();
    let timers = 0;
    let pieces = 0;
    globalThis.setInterval = ((...args: Parameters<typeof original>) => {
      timers += 1;
      return original(...args);
    }) as typeof original;
    try {
      const server: Transport = ({ url }) => of({ status: 200, url, headers: headersFrom({}), body$: body });
      withLimits(DEFAULT_LIMITS)(server)({ method: 'GET', url: 'https://pool.contoso.com/' })
        .pipe(mergeMap(({ body$ }) => body$))
        .subscribe(() => (pieces += 1));
      times(100, (index) => body.next(Uint8Array.of(index)));
      body.complete();
    } finally {
      globalThis.setInterval = original;
    }
    expect(pieces).to.equal(100);
    expect(timers).to.equal(1);
  });

  describe('parsing', () => {
    const xml = eventsAnswer(times(300, (index) => itemEvent('NewMailEvent', `W${index}`)).join(''));
    const { prototype } = SaxesParser;
    const write = Object.getOwnPropertyDescriptor(prototype, 'write')!;
    let pieces: number[] = [];

    beforeEach(() => {
      pieces = [];
      Object.defineProperty(prototype, 'write', {
        ...write,
        value: function (this: unknown, piece: string): unknown {
          pieces.push(piece.length);
          return Reflect.apply(write.value as (piece: string) => unknown, this, [piece]);
        },
      });
    });

    afterEach(() => {
      Object.defineProperty(prototype, 'write', write);
    });

    function read(chunks: readonly string[], options?: ParserOptions): void {
      const parser = messageParser(() => undefined, options);
      for (const chunk of chunks) parser.write(new TextEncoder().encode(chunk));
      parser.end();
    }

    it('a chunk is one call, and reads each character once', () => {
      read([xml]);
      expect(pieces).to.deep.equal([xml.length]);
      pieces = [];
      read(times(10, (index) => xml.slice(index * 10_000, index === 9 ? undefined : (index + 1) * 10_000)));
      expect(pieces.filter((length) => length > 0).length).to.be.at.most(10);
      expect(pieces.reduce((sum, length) => sum + length, 0)).to.equal(xml.length);
    });

    it('elements in the usual order includes no name look-up', () => {
      const { prototype: map } = Map;
      const get = Object.getOwnPropertyDescriptor(map, 'get')!;
      const lookUps = (events: number): number => {
        let count = 0;
        Object.defineProperty(map, 'get', {
          ...get,
          value: function (this: unknown, key: unknown): unknown {
            count += 1;
            return Reflect.apply(get.value as (key: unknown) => unknown, this, [key]);
          },
        });
        try {
          read([eventsAnswer(times(events, (index) => itemEvent('NewMailEvent', `W${index}`)).join(''))]);
        } finally {
          Object.defineProperty(map, 'get', get);
        }
        return count;
      };
      expect(lookUps(10)).to.be.greaterThan(10);
      expect(lookUps(1000)).to.equal(lookUps(10));
    });

    it('an envelope that ends with its chunk includes no exception', () => {
      let made = 0;
      const makeError = Object.getOwnPropertyDescriptor(prototype, 'makeError')!;
      Object.defineProperty(prototype, 'makeError', {
        ...makeError,
        value: function (this: unknown, text: string): unknown {
          made += 1;
          return Reflect.apply(makeError.value as (text: string) => unknown, this, [text]);
        },
      });
      try {
        read(times(50, () => eventsAnswer(itemEvent('NewMailEvent', 'W1'))));
      } finally {
        Object.defineProperty(prototype, 'makeError', makeError);
      }
      expect(made).to.equal(0);
      expect(pieces).to.have.length(50);
    });

    /**
     * Counts the characters that saxes reads, and those that the parser searches for the start of envelopes.
     */
    const charactersRead = (work: () => void): number => {
      const getCode = Object.getOwnPropertyDescriptor(prototype, 'getCode10')!;
      const trimStart = Object.getOwnPropertyDescriptor(String.prototype, 'trimStart')!;
      let count = 0;
      Object.defineProperty(prototype, 'getCode10', {
        ...getCode,
        value: function (this: unknown): unknown {
          count += 1;
          return Reflect.apply(getCode.value as () => unknown, this, []);
        },
      });
      Object.defineProperty(String.prototype, 'trimStart', {
        ...trimStart,
        value: function (this: string): unknown {
          count += this.length;
          return Reflect.apply(trimStart.value as () => unknown, this, []);
        },
      });
      try {
        work();
      } finally {
        Object.defineProperty(prototype, 'getCode10', getCode);
        Object.defineProperty(String.prototype, 'trimStart', trimStart);
      }
      return count;
    };

    for (const [name, options] of [
      ['events come with their message', {}],
      ['events are emitted early', { onEvents: () => undefined }],
    ] as const) {
      it(`many envelopes is at most two reads per character: ${name}`, () => {
        const chunk = '<Envelope/> '.repeat(5000);
        expect(charactersRead(() => read([chunk], options))).to.be.at.most(2 * chunk.length);
        expect(charactersRead(() => read(Array.from(chunk), options))).to.be.at.most(4 * chunk.length);
      });
    }

    it('emitting events early is one call per 4,096 characters', () => {
      read([xml], { onEvents: () => undefined });
      expect(pieces).to.have.length(Math.ceil(xml.length / 4096));
      expect(pieces.reduce((sum, length) => sum + length, 0)).to.equal(xml.length);
    });

    it('each envelope in a chunk is one call', () => {
      const envelopes = times(50, () => eventsAnswer(itemEvent('NewMailEvent', 'W1')));
      read([envelopes.join('')]);
      expect(pieces).to.have.length(50);
    });
  });
});
