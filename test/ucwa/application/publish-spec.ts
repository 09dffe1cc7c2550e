import { expect } from 'chai';
import { asyncScheduler, NEVER, type Observable, of, take, throwError, timer } from 'rxjs';
import { HttpError, NetworkError } from '../../../lib/core/errors.ts';
import type { HttpRequest, HttpResponse, Transport } from '../../../lib/core/transport/transport.ts';
import type { UcwaOptions } from '../../../lib/ucwa/options.ts';
import { type LiveApplication, liveApplication } from '../../../lib/ucwa/application/liveApplication.ts';
import { pausing } from '../../../lib/ucwa/transport/backoff.ts';
import {
  PUBLISHING,
  publishing,
  type Publish,
  type PublishOptions,
} from '../../../lib/ucwa/application/publish.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';
import { response } from '../../support/responses.ts';
import { connected, record } from '../connected.ts';

const MINUTE = 60_000;
const SELF = 'https://pool.contoso.com/ucwa/oauth/v1/applications/101';
const MAKE = 'makeMeAvailable';
const REPORT = 'reportMyActivity';

const json = (status: number, body: object): HttpResponse =>
  response(status, { headers: { 'content-type': 'application/json' }, body: [JSON.stringify(body)] });
const refusal = (status: number, code: string, subcode?: string): HttpResponse =>
  json(status, { code, subcode });
const link = (name: string): object => ({ [name]: { href: `${SELF}/${name}` } });
const meWith = (...names: readonly string[]): object => ({
  rel: 'me',
  _links: Object.assign({}, ...['me', ...names].map(link), { self: { href: `${SELF}/me` } }) as object,
});

/** Returns the server's response to a request of this name; undefined is 204. */
type Answering = (name: string, count: number) => HttpResponse | Observable<HttpResponse> | undefined;

interface Published {
  readonly application: LiveApplication;
  /** Each request with the minute at which it was sent. */
  readonly sent: string[];
  readonly requests: HttpRequest[];
  error: unknown;
}

const publishOn = (
  application: LiveApplication,
  options: PublishOptions,
  connection: Parameters<Publish>[1],
): Observable<never> => PUBLISHING.read('publish', publishing(options))(application, connection);

/** Publishes on an application for so many minutes. */
function publishedFor(
  options: PublishOptions,
  minutes: number,
  answer: Answering = () => undefined,
  links: readonly string[] | null = [MAKE, REPORT],
): Published {
  const application = liveApplication(
    {
      value: {
        _links: { self: { href: SELF }, events: { href: `${SELF}/events` } },
        _embedded: links === null ? {} : { me: meWith(...links) as { rel: string } },
      },
      status: 201,
      url: SELF,
    },
    true,
  );
  const seen: Published = { application, sent: [], requests: [], error: undefined };
  const counts = new Map<string, number>();
  const transport: Transport = (request) => {
    const name = request.url.slice(SELF.lastIndexOf('/') + 1).replace('101/', '');
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    seen.sent.push(`${Number((asyncScheduler.now() / MINUTE).toFixed(2))} ${name}`);
    seen.requests.push(request);
    const answered = answer(name, count) ?? response(204);
    return 'status' in answered ? of({ ...answered, url: request.url }) : answered;
  };
  inVirtualTime(() => {
    const pause = pausing({ random: () => 0.5, initialMs: 60_000, maxMs: 60_000 });
    const running = publishOn(application, options, { transport, pause }).subscribe({
      error: (error: unknown) => (seen.error = error),
    });
    timer(minutes * MINUTE).subscribe(() => running.unsubscribe());
  });
  return seen;
}

describe('published', () => {
  it('makes the user available, then reports activity at least every four minutes', () => {
    const { sent, requests, error } = publishedFor(
      { availability: 'Busy', supportedModalities: ['Messaging'] },
      10,
    );
    expect(sent).to.deep.equal([`0 ${MAKE}`, `3 ${REPORT}`, `6 ${REPORT}`, `9 ${REPORT}`]);
    expect(error).to.equal(undefined);
    expect(requests.map(({ method }) => method)).to.deep.equal(['POST', 'POST', 'POST', 'POST']);
    expect(JSON.parse(requests[0]!.body!)).to.deep.equal({
      signInAs: 'Busy',
      supportedModalities: ['Messaging'],
    });
    expect(requests[0]!.headers).to.include({ 'content-type': 'application/json' });
    expect(requests[1]).not.to.have.property('body');
    expect(requests[1]!.headers).not.to.have.property('content-type');
  });

  it('reports at the configured interval', () => {
    expect(publishedFor({ activityMinutes: 4 }, 9).sent.slice(1)).to.deep.equal([
      `4 ${REPORT}`,
      `8 ${REPORT}`,
    ]);
  });

  it('omits the options that are not given', () => {
    expect(publishedFor({}, 1).requests[0]!.body).to.equal('{}');
  });

  it('sends nothing after the unsubscription', () => {
    expect(publishedFor({}, 4).sent).to.have.length(2);
  });

  it('succeeds if the user is available already', () => {
    const already: Answering = (name) =>
      name === MAKE ? refusal(409, 'Conflict', 'AlreadyExists') : undefined;
    const { sent, error } = publishedFor({}, 4, already);
    expect(sent).to.deep.equal([`0 ${MAKE}`, `3 ${REPORT}`]);
    expect(error).to.equal(undefined);
  });

  it('makes the user available again on demand, once per interval', () => {
    const forgetful: Answering = (name) =>
      name === REPORT ? refusal(409, 'Conflict', 'MakeMeAvailableRequired') : undefined;
    expect(publishedFor({}, 7, forgetful).sent).to.deep.equal([
      `0 ${MAKE}`,
      `3 ${REPORT}`,
      `3 ${MAKE}`,
      `6 ${REPORT}`,
      `6 ${MAKE}`,
    ]);
  });

  it('reads me for the report link once the user is available', () => {
    const telling: Answering = (name, count) =>
      name === 'me' ? json(200, meWith(...(count === 1 ? [] : [REPORT]))) : undefined;
    const { sent } = publishedFor({}, 7, telling, [MAKE]);
    expect(sent.map((line) => line.replace(/^3\.\d+/, '3+'))).to.deep.equal([
      `0 ${MAKE}`,
      '3 me',
      '3+ me',
      `3+ ${REPORT}`,
      `6 ${REPORT}`,
    ]);
  });

  it('considers a user without a makeMeAvailable link available', () => {
    const { sent, error } = publishedFor({ availability: 'Busy' }, 7, undefined, [REPORT]);
    expect(sent).to.deep.equal([`3 ${REPORT}`, `6 ${REPORT}`]);
    expect(error).to.equal(undefined);
  });

  it('reads the makeMeAvailable link if the server requires it later', () => {
    const forgetful: Answering = (name, count) =>
      name === 'me'
        ? json(200, meWith(MAKE, REPORT))
        : name === REPORT && count === 1
          ? refusal(409, 'Conflict', 'MakeMeAvailableRequired')
          : undefined;
    const { sent, error } = publishedFor({}, 7, forgetful, [REPORT]);
    expect(sent.map((line) => line.replace(/^3\.\d+/, '3'))).to.deep.equal([
      `3 ${REPORT}`,
      '3 me',
      `3 ${MAKE}`,
      `6 ${REPORT}`,
    ]);
    expect(error).to.equal(undefined);
  });

  it('errors if the server does not return me', () => {
    const { sent, error } = publishedFor({}, 7, undefined, null);
    expect(sent).to.deep.equal([]);
    expect((error as Error).message).to.equal('me: expected a link at /_links/self, but there is nothing');
  });

  describe('when requests fail', () => {
    const lost = (): Observable<never> =>
      throwError(() => new NetworkError('broken', { method: 'POST', url: SELF }));

    for (const [name, failure] of [
      ['503', () => refusal(503, 'ServiceUnavailable')],
      ['429', () => refusal(429, 'TooManyRequests')],
      ['500', () => refusal(500, 'ServiceFailure')],
      ['no network', lost],
    ] as const) {
      it(`retries after a temporary failure: ${name}`, () => {
        const { sent, error } = publishedFor({}, 9.5, (_, count) => (count === 2 ? undefined : failure()));
        expect(error).to.equal(undefined);
        expect(sent.filter((line) => line.endsWith(MAKE))).to.have.length(2);
        expect(sent.filter((line) => line.endsWith(REPORT)).length).to.be.within(3, 12);
      });
    }

    it('does not report again while a report is pending', () => {
      const { sent } = publishedFor({}, 10, (name) => (name === REPORT ? NEVER : undefined));
      expect(sent).to.deep.equal([`0 ${MAKE}`, `3 ${REPORT}`]);
    });

    for (const name of [MAKE, REPORT]) {
      it(`errors with the reason when ${name} is refused`, () => {
        const refusing: Answering = (one) =>
          one === name ? refusal(403, 'Forbidden', 'AnonymousNotAllowed') : undefined;
        const { sent, error } = publishedFor({}, 10, refusing);
        expect(sent.at(-1)).to.contain(name);
        expect(error).to.be.instanceOf(HttpError);
        expect((error as HttpError).subcode).to.equal('AnonymousNotAllowed');
        expect((error as HttpError).message).to.contain('the user is not allowed to do this');
      });
    }

    it('continues to report while the server fails', () => {
      const failing: Answering = (name) => (name === REPORT ? refusal(500, 'ServiceFailure') : undefined);
      const { sent, error } = publishedFor({}, 60, failing);
      expect(error).to.equal(undefined);
      expect(sent.length).to.be.greaterThan(20);
    });
  });

  describe('when the application is gone', () => {
    const gone = refusal(404, 'NotFound', 'ApplicationNotFound');

    it('emits the end and sends nothing more', () => {
      const { application, sent, error } = publishedFor({}, 10, (name) => (name === MAKE ? undefined : gone));
      expect(sent).to.deep.equal([`0 ${MAKE}`, `3 ${REPORT}`, '3 101']);
      expect(application.isGone).to.equal(true);
      expect(error).to.equal(undefined);
    });

    it('errors if only the report link is gone', () => {
      const { application, error } = publishedFor({}, 10, (name) => (name === REPORT ? gone : undefined));
      expect(application.isGone).to.equal(false);
      expect(error).to.be.instanceOf(HttpError);
    });

    it('sends nothing to an application that has ended', () => {
      const { application, sent } = publishedFor({}, 0);
      application.markGone(new Error('gone'));
      let isComplete = false;
      const transport: Transport = () => {
        sent.push('more');
        return NEVER;
      };
      publishOn(application, {}, { transport, pause: () => NEVER }).subscribe({
        complete: () => (isComplete = true),
      });
      expect(isComplete).to.equal(true);
      expect(sent).not.to.contain('more');
    });
  });
});

describe('connect with publish', () => {
  const online: Partial<UcwaOptions> = { publish: publishing({ availability: 'Online' }) };
  const posts = (sent: readonly string[]): string[] => sent.filter((line) => !line.startsWith('GET'));

  it('publishes on each application once it exists, and ends with it', () => {
    const { ucwa, server, sent } = connected({}, online);
    inVirtualTime(() => {
      const all = record(ucwa.events$);
      const others = record(ucwa.events$);
      timer(4 * MINUTE).subscribe(() => server.endApplications());
      timer(9 * MINUTE).subscribe(() => {
        all.subscription.unsubscribe();
        others.subscription.unsubscribe();
        expect(all.values).to.deep.equal(['updated me', 'gap application', 'updated me']);
      });
    });
    expect(posts(sent())).to.deep.equal([
      'POST applications 201',
      'POST 101/communication/makeMeAvailable 204',
      'POST 101/reportMyActivity 204',
      'POST applications 201',
      'POST 102/communication/makeMeAvailable 204',
      'POST 102/reportMyActivity 204',
      'DELETE 102 204',
    ]);
  });

  it('keeps the user available for hours', () => {
    const { ucwa, server } = connected({}, online);
    const seen: unknown[] = [];
    inVirtualTime(() => {
      const all = record(ucwa.events$);
      timer(10 * MINUTE, 47 * MINUTE)
        .pipe(take(5))
        .subscribe({
          next: () => seen.push(server.applications[0]?.availability),
          complete: () => all.subscription.unsubscribe(),
        });
    });
    expect(seen).to.deep.equal(Array(5).fill('Online'));
  });

  it('publishes nothing by default', () => {
    const { ucwa, sent } = connected();
    inVirtualTime(() => {
      const all = record(ucwa.events$);
      timer(10 * MINUTE).subscribe(() => all.subscription.unsubscribe());
    });
    expect(posts(sent())).to.deep.equal(['POST applications 201', 'DELETE 101 204']);
  });

  it('ends all streams and cleans up when the server refuses', async () => {
    const { ucwa, sent } = connected({}, { publish: publishing({ supportedModalities: ['Video'] }) });
    const all = record(ucwa.events$);
    expect(all.error).to.be.instanceOf(HttpError);
    expect((all.error as HttpError).status).to.equal(403);
    expect((await ucwa.drain()).clean).to.equal(true);
    expect(sent().at(-1)).to.equal('DELETE 101 204');
  });

  for (const [name, publish, message] of [
    ['no object', 'Online', 'options must be an object, but it is a string'],
    [
      'an unknown availability',
      { availability: 'Gone' },
      'availability must be one of "Online", "Busy", "DoNotDisturb", "BeRightBack", "Away", "Offwork", but it is "Gone"',
    ],
    [
      'a text for a list',
      { supportedModalities: 'Messaging' },
      'supportedModalities must be a list of words, but it is "Messaging"',
    ],
    [
      'an unknown format',
      { supportedMessageFormats: ['Plain', 'Markdown'] },
      'supportedMessageFormats[1] must be one of "Plain", "Html", but it is "Markdown"',
    ],
    ['too long a time', { activityMinutes: 5 }, 'activityMinutes must be a number from 1 to 4, but it is 5'],
  ] as const) {
    it(`throws for ${name}`, () => {
      expect(() => connected({}, { publish: publishing(publish as PublishOptions) })).to.throw(
        TypeError,
        message,
      );
    });
  }
});
