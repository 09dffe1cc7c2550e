import { expect } from 'chai';
import { mergeMap, timer } from 'rxjs';
import { readText } from '../../../lib/core/transport/transport.ts';
import { ucwaSimulator, type UcwaSimulator } from '../../../lib/testing/ucwa/simulator.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';

const APPLICATIONS = '/ucwa/oauth/v1/applications';
const APP = `${APPLICATIONS}/101`;
const MAKE = `${APP}/communication/makeMeAvailable`;
const REPORT = `${APP}/reportMyActivity`;
const headers = { authorization: 'Bearer t', 'content-type': 'application/json' };
const MINUTE = 60_000;

interface Recorded {
  status?: number;
  body?: Record<string, unknown>;
}

function ask({ transport }: UcwaSimulator, method: string, path: string, body?: object): Recorded {
  const recorded: Recorded = {};
  transport({
    ...{ method, url: `https://ucwa.example${path}`, headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
    .pipe(
      mergeMap((response) => {
        recorded.status = response.status;
        return readText(response, 'body');
      }),
    )
    .subscribe((text) => {
      if (text !== '') recorded.body = JSON.parse(text) as Record<string, unknown>;
    });
  return recorded;
}

function started(): UcwaSimulator {
  const server = ucwaSimulator();
  ask(server, 'POST', APPLICATIONS, { culture: 'en-us', endpointId: '1', userAgent: 'spec' });
  return server;
}

describe('ucwaSimulator, for the user', () => {
  it('links from me to presence, in the application and separately', () => {
    const server = started();
    const me = ask(server, 'GET', `${APP}/me`).body;
    expect(me).to.have.nested.property('_links.makeMeAvailable.href', MAKE);
    expect(me).to.have.nested.property('_links.reportMyActivity.href', REPORT);
    expect(ask(server, 'GET', APP).body)
      .to.have.nested.property('_embedded.me')
      .that.deep.equals(me);
  });

  it('rejects reports and has no presence before makeMeAvailable', () => {
    const server = started();
    for (const recorded of [ask(server, 'POST', REPORT), ask(server, 'GET', `${APP}/me/presence`)]) {
      expect(recorded).to.deep.include({ status: 409 });
      expect(recorded.body).to.deep.include({ code: 'Conflict', subcode: 'MakeMeAvailableRequired' });
    }
    expect(server.applications[0]).not.to.have.property('availability');
  });

  it('makes the user available once, and sends an event', () => {
    const server = started();
    const waiting = ask(server, 'GET', `${APP}/events?ack=1`);
    expect(waiting.status).to.equal(undefined);
    expect(
      ask(server, 'POST', MAKE, { signInAs: 'Busy', supportedModalities: ['Messaging'] }).status,
    ).to.equal(204);
    expect(JSON.stringify(waiting.body)).to.contain('"rel":"me"').and.contain('"updated"');
    expect(server.applications[0]).to.include({ availability: 'Busy' });
    expect(ask(server, 'GET', `${APP}/me/presence`).body).to.include({
      availability: 'Busy',
      rel: 'presence',
    });
    expect(ask(server, 'GET', `${APP}/me`).body, 'asks no more').not.to.have.nested.property(
      '_links.makeMeAvailable',
    );
    expect(ask(server, 'POST', MAKE, {}).body).to.include({ subcode: 'AlreadyExists' });
    expect(ask(server, 'POST', REPORT)).to.deep.equal({ status: 204 });
  });

  it('shows a user as away after four minutes without a report', () => {
    inVirtualTime(() => {
      const server = started();
      ask(server, 'POST', MAKE, { SupportedModalities: ['Messaging'] });
      const availability = (): unknown => server.applications[0]?.availability;
      timer(4 * MINUTE).subscribe(() => {
        expect(availability()).to.equal('Online');
        expect(ask(server, 'POST', REPORT).status).to.equal(204);
      });
      timer(8 * MINUTE).subscribe(() => expect(availability()).to.equal('Online'));
      timer(8 * MINUTE + 1).subscribe(() => {
        expect(availability()).to.equal('Away');
        ask(server, 'POST', REPORT);
        expect(availability()).to.equal('Online');
      });
    });
  });

  const refused: readonly (readonly [string, string, object | undefined, number])[] = [
    ['PUT', `${APP}/me`, undefined, 405],
    ['PUT', `${APP}/me/presence`, undefined, 405],
    ['GET', MAKE, undefined, 405],
    ['GET', REPORT, undefined, 405],
    ['GET', `${APP}/me/photo`, undefined, 404],
    ['GET', `${REPORT}/more`, undefined, 404],
    ['POST', MAKE, { signInAs: 'Elsewhere' }, 400],
    ['POST', MAKE, { signInAs: 7 }, 400],
    ['POST', MAKE, { supportedModalities: 'Messaging' }, 400],
    ['POST', MAKE, { supportedModalities: ['Video'] }, 403],
  ];
  for (const [method, path, body, status] of refused) {
    it(`responds with ${status} to ${method} ${path} ${body === undefined ? '' : JSON.stringify(body)}`, () => {
      const server = started();
      expect(ask(server, method, path, body).status).to.equal(status);
      expect(server.applications[0]).not.to.have.property('availability');
    });
  }
});
