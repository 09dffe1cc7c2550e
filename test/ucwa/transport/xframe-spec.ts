import { expect } from 'chai';
import { expectTypeOf } from 'expect-type';
import { mergeMap, type Observable, timer } from 'rxjs';
import { DecodeError, NetworkError, OriginError } from '../../../lib/core/errors.ts';
import {
  type HttpRequest,
  type HttpResponse,
  readText,
  type Transport,
} from '../../../lib/core/transport/transport.ts';
import { withProgress } from '../../../lib/core/transport/withProgress.ts';
import type { FrameWindow } from '../../../lib/ucwa/transport/iframe.ts';
import { xframe, type XFrameOptions } from '../../../lib/ucwa/transport/xframe.ts';
import { type FramePage, framePage, type PageFrame } from '../../support/browser/framePage.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';

const ORIGIN = 'https://pool.example';
const PAGE = `${ORIGIN}/Autodiscover/XFrame/XFrame.html`;

const get = (path = '/ucwa/me', more: Partial<HttpRequest> = {}): HttpRequest => ({
  ...{ method: 'GET', url: `${ORIGIN}${path}` },
  ...more,
});

const framed = (page: FramePage, options: Partial<XFrameOptions> = {}): Transport =>
  xframe({ url: PAGE, window: page.window, ...options });

/** What a request came to. */
function result(answer$: Observable<HttpResponse>): unknown[] {
  const seen: unknown[] = [];
  answer$
    .pipe(
      mergeMap((answer) => readText(answer, 'spec').pipe(mergeMap((text) => [`${answer.status} ${text}`]))),
    )
    .subscribe({
      next: (text) => seen.push(text),
      error: (error: unknown) => seen.push(error),
      complete: () => seen.push('complete'),
    });
  return seen;
}

const idOf = (frame: PageFrame, index = 0): unknown => frame.posted[index]?.message['messageId'];

/** A page whose frames load at once. */
const readyPage = (): FramePage => {
  const page = framePage(ORIGIN);
  page.onAppend = (frame) => frame.fire('load');
  return page;
};

describe('xframe', () => {
  it('should take the window that browsers have, as its type is', () => {
    expectTypeOf<Window>().toExtend<FrameWindow>();
  });

  it('should put nothing into the page before a request is subscribed to', () => {
    const page = readyPage();
    framed(page)(get());
    expect(page.frames).to.have.length(0);
    expect(page.listening()).to.equal(0);
  });

  it('should put the page of the server into a hidden frame', () => {
    inVirtualTime(() => {
      const page = readyPage();
      framed(page)(get()).subscribe().unsubscribe();
      expect(page.frames).to.have.length(1);
      expect(page.frames[0]).to.deep.include({ src: PAGE, style: { display: 'none' } });
    });
  });

  it('should do so while the page has no body yet', () => {
    inVirtualTime(() => {
      const page = readyPage();
      page.hasBody = false;
      result(framed(page)(get()));
      expect(page.frames[0]?.attached).to.equal(true);
    });
  });

  it('should post the request when the frame is loaded, for its origin only', () => {
    inVirtualTime(() => {
      const page = framePage(ORIGIN);
      result(framed(page)(get('/ucwa/me', { headers: { authorization: 'Bearer t' } })));
      const [frame] = page.frames;
      expect(frame?.posted).to.deep.equal([]);
      frame?.fire('load');
      expect(frame?.posted).to.have.length(1);
      expect(frame?.posted[0]?.origin).to.equal(ORIGIN);
      expect(frame?.posted[0]?.message).to.deep.include({
        ...{ type: 'GET', url: `${ORIGIN}/ucwa/me`, headers: { authorization: 'Bearer t' } },
      });
    });
  });

  it('should emit the answer with its status, headers and body, and complete', () => {
    inVirtualTime(() => {
      const page = readyPage();
      const heads: unknown[] = [];
      const transport = framed(page);
      const answer$ = transport(get());
      answer$.subscribe(({ status, url, headers }) => heads.push([status, url, headers.get('Retry-After')]));
      const seen = result(answer$);
      const [frame] = page.frames;
      for (const index of [0, 1]) {
        const headers = 'Content-Type: application/json\r\nRetry-After: 3\r\n';
        frame?.answer({ status: 429, responseText: '{"ü":1}', headers, messageId: idOf(frame, index) });
      }
      expect(heads).to.deep.equal([[429, `${ORIGIN}/ucwa/me`, '3']]);
      expect(seen).to.deep.equal(['429 {"ü":1}', 'complete']);
    });
  });

  it('should take an answer without headers and body', () => {
    inVirtualTime(() => {
      const page = readyPage();
      const seen = result(framed(page)(get()));
      page.frames[0]?.answer({ status: 204, messageId: idOf(page.frames[0]) });
      expect(seen).to.deep.equal(['204 ', 'complete']);
    });
  });

  it('should match answers by their id, in whatever order they come', () => {
    inVirtualTime(() => {
      const page = readyPage();
      const transport = framed(page);
      const one = result(transport(get('/1')));
      const two = result(transport(get('/2')));
      const frame = page.frames[0]!;
      frame.answer({ status: 200, responseText: 'two', messageId: idOf(frame, 1) });
      expect([one, two]).to.deep.equal([[], ['200 two', 'complete']]);
      frame.answer({ status: 200, responseText: 'one', messageId: idOf(frame, 0) });
      expect(one).to.deep.equal(['200 one', 'complete']);
      expect(page.frames).to.have.length(1);
      expect(page.listening()).to.equal(0);
    });
  });

  describe('messages that are not for it', () => {
    const cases: readonly [name: string, tell: (frame: PageFrame, answer: object) => void][] = [
      ['from another origin', (frame, answer) => frame.answer(answer, { origin: 'https://evil.example' })],
      [
        'from an origin that begins alike',
        (frame, answer) => frame.answer(answer, { origin: `${ORIGIN}.evil.example` }),
      ],
      ['from another window of the same origin', (frame, answer) => frame.answer(answer, { source: {} })],
      ['from no window', (frame, answer) => frame.answer(answer, { source: null })],
      ['with another id', (frame, answer) => frame.answer({ ...answer, messageId: 'other' })],
      ['without an id', (frame) => frame.answer({ status: 200 })],
      ['that are no JSON', (frame) => frame.answer('ready')],
      ['that are nothing', (frame) => frame.answer('null', { data: null })],
    ];
    for (const [name, tell] of cases) {
      it(`should be passed over: ${name}`, () => {
        inVirtualTime(() => {
          const page = readyPage();
          const seen = result(framed(page)(get()));
          const frame = page.frames[0]!;
          tell(frame, { status: 200, responseText: 'evil', messageId: idOf(frame) });
          expect(seen).to.deep.equal([]);
          frame.answer({ status: 200, responseText: 'good', messageId: idOf(frame) });
          expect(seen).to.deep.equal(['200 good', 'complete']);
        });
      });
    }

    it('should be passed over: from a frame without a window, by a message without one', () => {
      inVirtualTime(() => {
        const page = readyPage();
        const seen = result(framed(page)(get()));
        const frame = page.frames[0]!;
        frame.detach();
        frame.answer({ status: 200, messageId: idOf(frame) }, { source: null });
        expect(seen).to.deep.equal([]);
      });
    });
  });

  describe('the life of the frame', () => {
    it('should be one for all that ask at the same time, and end with the last', () => {
      inVirtualTime(() => {
        const page = readyPage();
        const transport = framed(page);
        const one = transport(get('/1')).subscribe();
        const two = transport(get('/2')).subscribe();
        one.unsubscribe();
        expect(page.frames).to.have.length(1);
        expect(page.frames[0]?.attached).to.equal(true);
        two.unsubscribe();
        expect(page.frames[0]?.attached).to.equal(false);
        expect(page.listening()).to.equal(0);
      });
    });

    it('should go on through a chain of requests, each begun in the answer to the one before', () => {
      inVirtualTime(() => {
        const page = readyPage();
        const transport = framed(page);
        const seen = result(transport(get('/1')).pipe(mergeMap(() => transport(get('/2')))));
        const frame = page.frames[0]!;
        frame.answer({ status: 200, responseText: 'one', messageId: idOf(frame, 0) });
        frame.answer({ status: 200, responseText: 'two', messageId: idOf(frame, 1) });
        expect(seen).to.deep.equal(['200 two', 'complete']);
        expect(page.frames).to.have.length(1);
        expect(frame.attached).to.equal(false);
      });
    });

    it('should begin anew after it ended', () => {
      inVirtualTime(() => {
        const page = readyPage();
        const transport = framed(page);
        transport(get()).subscribe().unsubscribe();
        const seen = result(transport(get()));
        expect(page.frames).to.have.length(2);
        const [old, frame] = page.frames as [PageFrame, PageFrame];
        old.answer({ status: 200, responseText: 'old', messageId: idOf(frame) });
        expect(seen).to.deep.equal([]);
        frame.answer({ status: 200, responseText: 'new', messageId: idOf(frame) });
        expect(seen).to.deep.equal(['200 new', 'complete']);
      });
    });

    it('should be longer by as much as the caller asks', () => {
      const page = readyPage();
      const attached: unknown[] = [];
      inVirtualTime(() => {
        const transport = framed(page, { graceSeconds: 1 });
        transport(get()).subscribe().unsubscribe();
        timer(900).subscribe(() => transport(get()).subscribe().unsubscribe());
        timer(1899).subscribe(() => attached.push(page.frames[0]?.attached));
        timer(1901).subscribe(() => attached.push(page.frames[0]?.attached));
      });
      expect(attached).to.deep.equal([true, false]);
      expect(page.frames).to.have.length(1);
    });

    it('should leave nothing behind when its only request left before it was loaded', () => {
      inVirtualTime(() => {
        const page = framePage(ORIGIN);
        framed(page)(get()).subscribe().unsubscribe();
        const frame = page.frames[0]!;
        frame.fire('load');
        expect(frame.posted).to.deep.equal([]);
        expect(frame.attached).to.equal(false);
        expect(page.listening()).to.equal(0);
      });
    });
  });

  describe('what goes wrong', () => {
    it('should be an error when the frame does not load in time, and the next request tries again', () => {
      const page = framePage(ORIGIN);
      const seen: unknown[] = [];
      let later: unknown[] = [];
      inVirtualTime(() => {
        const transport = framed(page, { timeoutSeconds: 5 });
        transport(get()).subscribe({ error: (error: unknown) => seen.push(error) });
        timer(4999).subscribe(() => expect(seen).to.deep.equal([]));
        timer(6000).subscribe(() => {
          page.onAppend = (frame) => frame.fire('load');
          later = result(transport(get()));
          const frame = page.frames[1]!;
          frame.answer({ status: 200, messageId: idOf(frame) });
        });
      });
      expect(seen).to.have.length(1);
      expect(seen[0])
        .to.be.instanceOf(NetworkError)
        .with.property('message', `the frame did not load in time: GET ${PAGE}`);
      expect(page.frames[0]?.attached).to.equal(false);
      expect(later).to.deep.equal(['200 ', 'complete']);
    });

    it('should be an error of all who wait when the frame cannot be loaded', () => {
      inVirtualTime(() => {
        const page = framePage(ORIGIN);
        const transport = framed(page);
        const all = [result(transport(get('/1'))), result(transport(get('/2')))];
        page.frames[0]?.fire('error');
        for (const seen of all) {
          expect(seen).to.have.length(1);
          expect(seen[0])
            .to.be.instanceOf(NetworkError)
            .with.property('message')
            .that.matches(/could not be loaded/);
        }
        expect(page.listening()).to.equal(0);
      });
    });

    it('should be an error of all who wait when the frame is loaded anew', () => {
      inVirtualTime(() => {
        const page = readyPage();
        const seen = result(framed(page)(get()));
        page.frames[0]?.fire('load');
        expect(seen).to.have.length(1);
        expect(seen[0])
          .to.be.instanceOf(NetworkError)
          .with.property('message')
          .that.matches(/loaded anew/);
        expect(page.frames[0]?.attached).to.equal(false);
      });
    });

    it('should be an error when somebody took the frame out of the page', () => {
      inVirtualTime(() => {
        const page = readyPage();
        const transport = framed(page);
        result(transport(get()));
        page.frames[0]?.detach();
        const seen = result(transport(get()));
        expect(seen[0])
          .to.be.instanceOf(NetworkError)
          .with.property('message')
          .that.matches(/taken out/);
      });
    });

    it('should be an error when the answer does not come in time', () => {
      const page = readyPage();
      let seen: unknown[] = [];
      inVirtualTime(() => {
        seen = result(framed(page, { responseSeconds: 60 })(get('/ucwa/me?secret=1')));
        timer(59_999).subscribe(() => expect(seen).to.deep.equal([]));
      });
      expect(seen).to.have.length(1);
      expect(seen[0])
        .to.be.instanceOf(NetworkError)
        .with.property('message', `no answer from the frame in time: GET ${ORIGIN}/ucwa/me`);
    });

    it('should wait for the event channel as long as a server may hold it', () => {
      const page = readyPage();
      let seen: unknown[] = [];
      inVirtualTime(() => {
        seen = result(framed(page)(get('/events')));
        timer(1_800_000).subscribe(() => {
          const frame = page.frames[0]!;
          frame.answer({ status: 200, messageId: idOf(frame) });
        });
      });
      expect(seen).to.deep.equal(['200 ', 'complete']);
    });

    it('should be an error of the connection where the frame got no answer', () => {
      inVirtualTime(() => {
        const page = readyPage();
        const seen = result(framed(page)(get()));
        page.frames[0]?.answer({ status: 0, responseText: '', messageId: idOf(page.frames[0]) });
        expect(seen[0]).to.be.instanceOf(NetworkError);
      });
    });

    it('should be an error of that request where the answer is out of shape', () => {
      inVirtualTime(() => {
        const page = readyPage();
        const transport = framed(page);
        const seen = result(transport(get('/1')));
        const other = result(transport(get('/2')));
        page.frames[0]?.answer({ status: 'OK', messageId: idOf(page.frames[0]) });
        expect(seen).to.have.length(1);
        expect(seen[0])
          .to.be.instanceOf(DecodeError)
          .with.property('path')
          .that.matches(/status/);
        expect(other).to.deep.equal([]);
      });
    });

    it('should be an error to ask another origin, and nothing is posted there', () => {
      inVirtualTime(() => {
        const page = readyPage();
        for (const url of ['https://evil.example/', 'https://pool.example:444/', 'nonsense']) {
          const seen = result(framed(page)({ method: 'GET', url }));
          expect(seen).to.have.length(1);
          expect(seen[0]).to.be.instanceOf(OriginError);
        }
        expect(page.frames).to.have.length(0);
      });
    });
  });

  it('should ignore the answer to a request that was unsubscribed from', () => {
    inVirtualTime(() => {
      const page = readyPage();
      const transport = framed(page);
      const seen: unknown[] = [];
      const other = result(transport(get('/other')));
      transport(get('/left'))
        .subscribe((answer) => seen.push(answer))
        .unsubscribe();
      const frame = page.frames[0]!;
      frame.answer({ status: 200, messageId: idOf(frame, 1) });
      frame.answer({ status: 200, messageId: idOf(frame, 0) });
      expect(seen).to.deep.equal([]);
      expect(other).to.deep.equal(['200 ', 'complete']);
    });
  });

  it('reports sent when a request is posted, and notProcessed before', () => {
    inVirtualTime(() => {
      const page = framePage(ORIGIN);
      const recorded: string[] = [];
      const transport = withProgress(framed(page));
      const seen = result(transport(get('/1', { onProgress: (progress) => recorded.push(progress) })));
      expect(recorded).to.deep.equal(['sent', 'notProcessed']);
      page.frames[0]?.fire('load');
      expect(recorded).to.deep.equal(['sent', 'notProcessed', 'sent']);
      page.frames[0]?.answer({ status: 403, messageId: idOf(page.frames[0]) });
      expect(recorded).to.deep.equal(['sent', 'notProcessed', 'sent', 'notProcessed']);
      expect(seen).to.deep.equal(['403 ', 'complete']);
    });
  });

  it('should take messages from another origin than that of its page, where told so', () => {
    inVirtualTime(() => {
      const page = framePage('https://moved.example');
      page.onAppend = (frame) => frame.fire('load');
      const transport = framed(page, { origin: 'https://moved.example/path' });
      const seen = result(transport({ method: 'GET', url: 'https://moved.example/me' }));
      expect(page.frames[0]?.posted[0]?.origin).to.equal('https://moved.example');
      page.frames[0]?.answer({ status: 200, messageId: idOf(page.frames[0]) });
      expect(seen).to.deep.equal(['200 ', 'complete']);
    });
  });

  describe('options that cannot be used', () => {
    const cases: readonly [options: Partial<Record<keyof XFrameOptions, unknown>>, message: RegExp][] = [
      [{ url: '/xframe' }, /^url must be an absolute http or https URL/],
      [{ url: 'javascript:alert(1)' }, /^url must be/],
      [{ origin: 'pool' }, /^origin must be/],
      [{ timeoutSeconds: 0 }, /^timeoutSeconds must be a number of at least 0.001/],
      [{ responseSeconds: -1 }, /^responseSeconds .* at least 0.001/],
      [{ graceSeconds: -1 }, /^graceSeconds .* at least 0/],
      [{ window: {} }, /^window must be that of a browser page/],
      [{ window: 7 }, /^window must be that of a browser page/],
      [{ window: { document: null } }, /^window must be that of a browser page/],
    ];
    for (const [options, message] of cases) {
      it(`should be refused by name: ${JSON.stringify(options)}`, () => {
        const all = { url: PAGE, window: readyPage().window, ...options } as unknown as XFrameOptions;
        expect(() => xframe(all)).to.throw(TypeError, message);
      });
    }

    it('should be refused by name: no window where there is no page', () => {
      expect(() => xframe({ url: PAGE })).to.throw(
        TypeError,
        /^window must be that of a browser page.*undefined/,
      );
    });

    it('should be fine: the global window of a page', () => {
      const { document } = readyPage().window;
      Object.assign(globalThis, { document });
      try {
        expect(() => xframe({ url: PAGE })).not.to.throw();
      } finally {
        Reflect.deleteProperty(globalThis, 'document');
      }
    });

    it('should be cut to what a timer can wait: times without end', () => {
      inVirtualTime(() => {
        const page = framePage(ORIGIN);
        const seen = result(
          framed(page, { timeoutSeconds: 1e9, responseSeconds: 1e9, graceSeconds: 1e9 })(get()),
        );
        page.frames[0]?.fire('load');
        page.frames[0]?.answer({ status: 200, messageId: idOf(page.frames[0]) });
        expect(seen).to.deep.equal(['200 ', 'complete']);
      });
    });
  });
});
