import { expect } from 'chai';
import { of } from 'rxjs';
import { challengesIn } from '../../lib/core/auth/challenge.ts';
import { cookieJar } from '../../lib/core/transport/withCookies.ts';
import { DecodeError } from '../../lib/core/errors.ts';
import { headersFrom, type Transport } from '../../lib/core/transport/transport.ts';
import { connectUcwa } from '../../lib/ucwa/connect.ts';
import { readHeaderLines } from '../../lib/ucwa/protocol/multipart.ts';
import { embeddedIn, type Resource } from '../../lib/ucwa/protocol/resource.ts';
import { response } from '../support/responses.ts';
import { existingApplication } from '../../lib/ucwa/discovery/server.ts';

const ORIGIN = 'https://pool.contoso.com';
const json = { 'content-type': 'application/json' };

/** Returns the resource that the library reads from this text. */
function got(body: string): unknown {
  let value: unknown;
  const transport: Transport = ({ url }) => of({ ...response(200, { headers: json, body: [body] }), url });
  const ucwa = connectUcwa({ server: existingApplication(`${ORIGIN}/ucwa/v1/applications/1`), transport });
  ucwa.get({ href: '/me' }).subscribe({
    next: (resource) => (value = resource),
    error: (error: unknown) => (value = error),
  });
  return value;
}

/** Returns a text nested this deep, with a start and an end. */
const nested = (depth: number, before: string, inmost: string, after: string): string =>
  before.repeat(depth) + inmost + after.repeat(depth);

describe('Hostile JSON', () => {
  const bombs: readonly (readonly [string, string])[] = [
    ['lists of resources', nested(200_000, '{"_embedded":{"a":[', '{}', ']}}')],
    ['lists in the place of resources', `{"_embedded":{"a":${nested(500_000, '[', '', ']')}}}`],
    ['lists in the place of links', `{"_links":{"a":${nested(500_000, '[', '', ']')}}}`],
    ['a resource that is a list of lists', nested(500_000, '[', '', ']')],
  ];
  for (const [name, text] of bombs) {
    it(`causes a DecodeError: ${name}`, () => {
      expect(got(text)).to.be.instanceOf(DecodeError);
    });
  }

  for (const inmost of ['{}', '7']) {
    it(`loses the resources that are nested too deep, around ${inmost}`, () => {
      let depth = 0;
      let resource = got(nested(200_000, '{"_embedded":{"a":', inmost, '}}')) as Resource | undefined;
      for (; resource !== undefined; depth += 1) [resource] = embeddedIn(resource, 'a');
      expect(depth).to.be.within(20, 40);
    });
  }

  it('is read if it is as deep as resources are', () => {
    expect(got(nested(20, '{"_embedded":{"a":[', '{}', ']}}'))).to.not.be.instanceOf(Error);
  });

  it('is read if only a property that is not read is deep', () => {
    expect(got(`{"rel":"me","other":${nested(100_000, '[', '', ']')}}`)).to.include({ rel: 'me' });
  });

  const polluting: readonly string[] = [
    '{"__proto__":{"polluted":true},"rel":"me"}',
    '{"constructor":{"prototype":{"polluted":true}},"rel":"me"}',
    '{"_links":{"__proto__":{"href":"/a","polluted":true},"constructor":{"href":"/b"}},"rel":"me"}',
    '{"_embedded":{"__proto__":{"polluted":true},"constructor":{"rel":"x"}},"rel":"me"}',
    '{"_links":{"a":{"href":"/a","__proto__":{"polluted":true}}},"rel":"me"}',
    '{"_links":{"a":{"href":"/a?b&amp;c","__proto__":{"polluted":true}}},"rel":"me"}',
    '{"_links":{"__proto__":{"href":"/a?b&amp;c","polluted":true}},"rel":"me"}',
    '{"_embedded":{"__proto__":{"rel":"x","_links":{"a":{"href":"/a?b&amp;c"}}}},"rel":"me"}',
  ];
  for (const text of polluting) {
    it(`changes no prototype: ${text}`, () => {
      const resource = got(text) as Readonly<Record<string, unknown>>;
      expect(resource['rel']).to.equal('me');
      expect(({} as Record<string, unknown>)['polluted']).to.equal(undefined);
      for (const value of [resource, resource['_links'], resource['_embedded']]) {
        if (value !== undefined) expect(Object.getPrototypeOf(value)).to.equal(Object.prototype);
      }
    });
  }
});

describe('Hostile names', () => {
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    it(`pollute no object: ${name}`, () => {
      expect(headersFrom(readHeaderLines(`${name}: a\r\n${name}: b`)).get(name)).to.equal('a, b');
      expect(headersFrom({}).get(name)).to.equal(undefined);
      expect(challengesIn(`Bearer ${name}=x`)[0]?.parameters.get(name.toLowerCase())).to.equal('x');
      const jar = cookieJar();
      jar.store(`${ORIGIN}/`, `${name}=1`);
      jar.store(`${ORIGIN}/`, 'affinity=2');
      // Cookies of these names are dropped.
      expect(jar.header(`${ORIGIN}/`)).to.be.oneOf(['affinity=2', `${name}=1; affinity=2`]);
      expect(({} as Record<string, unknown>)[`${name}=1`]).to.equal(undefined);
    });
  }
});
