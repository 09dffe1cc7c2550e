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

/** Returns the notifications of a request. */
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
  it('accepts the Window type of browsers', () => {
    expectTypeOf<Window>().toExtend<FrameWindow>();
  });

  it('adds nothing to the page before subscription', () => {
    const page = readyPage();
    framed(page)(get());
    expect(page.frames).to.have.length(0);
    expect(page.listening()).to.equal(0);
  });

  it('loads the page of the server into a hidden frame', () => {
    inVirtualTime(() => {
      const page = readyPage();
      framed(page)(get()).subscribe().unsubscribe();
      expect(page.frames).to.have.length(1);
      expect(page.frames[0]).to.deep.include({ src: PAGE, style: { display: 'none' } });
    });
  });

  it('adds the frame while the page has no body yet', () => {
    inVirtualTime(() => {
      const page = readyPage();
      page.hasBody = false;
      result(framed(page)(get()));
      expect(page.frames[0]?.attached).to.equal(true);
    });
  });

  it('posts the request after the load, to that origin only', () => {
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

  it('emits the response with status, headers and body, and completes', () => {
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

  it('accepts a response without headers and body', () => {
    inVirtualTime(() => {
      const page = readyPage();
      const seen = result(framed(page)(get()));
      page.frames[0]?.answer({ status: 204, messageId: idOf(page.frames[0]) });
      expect(seen).to.deep.equal(['204 ', 'complete']);
    });
  });

  it('matches responses by their id in any order', () => {
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

  describe('unrelated messages', () => {
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
      it(`are ignored: ${name}`, () => {
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

    it('are ignored: without a source, for a frame without a window', () => {
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

  describe('the lifetime of the frame', () => {
    it('is shared by simultaneous requests and ends with the last', () => {
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

    it('spans requests that are each sent on the previous response', () => {
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

    it('starts again after its end', () => {
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

    it('is extended by graceSeconds', () => {
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

    it('ends when its only request is unsubscribed before the load', () => {
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

  describe('failures', () => {
    it('include a load timeout, after which the next request tries again', () => {
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

    it('reach all pending requests when the frame cannot be loaded', () => {
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

    it('reach all pending requests when the frame reloads', () => {
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

    it('include a frame that was removed from the page', () => {
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

    it('include a response that does not arrive in time', () => {
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

    it('do not include a P-GET that the server holds', () => {
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

    it('include a NetworkError if the frame received no response', () => {
      inVirtualTime(() => {
        const page = readyPage();
        const seen = result(framed(page)(get()));
        page.frames[0]?.answer({ status: 0, responseText: '', messageId: idOf(page.frames[0]) });
        expect(seen[0]).to.be.instanceOf(NetworkError);
      });
    });

    it('reach only the request whose response is malformed', () => {
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

    it('include a request to another origin, which is not posted', () => {
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

  it('ignores the response to an unsubscribed request', () => {
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

  it('accepts messages from the configured origin of a moved page', () => {
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

  describe('validation of options', () => {
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
      it(`throws for ${JSON.stringify(options)}`, () => {
        const all = { url: PAGE, window: readyPage().window, ...options } as unknown as XFrameOptions;
        expect(() => xframe(all)).to.throw(TypeError, message);
      });
    }

    it('throws without a window outside of a page', () => {
      expect(() => xframe({ url: PAGE })).to.throw(
        TypeError,
        /^window must be that of a browser page.*undefined/,
      );
    });

    it('accepts the global window of a page', () => {
      const { document } = readyPage().window;
      Object.assign(globalThis, { document });
      try {
        expect(() => xframe({ url: PAGE })).not.to.throw();
      } finally {
        Reflect.deleteProperty(globalThis, 'document');
      }
    });

    it('limits times to the maximum of a timer', () => {
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
