import { expect } from 'chai';
import { stepResult } from '../../../lib/ews/discovery/stepResult.ts';
import type { AutodiscoverResult } from '../../../lib/ews/discovery/search.ts';
import type { AutodiscoverFormat } from '../../../lib/ews/protocol/errors.ts';
import { response } from '../../support/responses.ts';

const json = { 'content-type': 'application/json; charset=utf-8' };
const xml = { 'content-type': 'text/xml' };
const pox = (inside: string): string => `<Autodiscover><Response>${inside}</Response></Autodiscover>`;

function read(
  format: AutodiscoverFormat,
  status: number,
  headers: Record<string, string>,
  body = '',
): AutodiscoverResult | Error {
  const address = { local: 'sara', domain: 'contoso.com' };
  const seen: (AutodiscoverResult | Error)[] = [];
  stepResult(
    { format, url: 'https://contoso.com/autodiscover/x', address },
    response(status, { headers, body: [body] }),
  ).subscribe({
    next: (answer) => seen.push(answer),
    error: (error: Error) => seen.push(error),
  });
  expect(seen).to.have.length(1);
  return seen[0]!;
}

describe('stepResult', () => {
  const cases: readonly (readonly [string, AutodiscoverResult | Error, object])[] = [
    [
      'the URL in JSON',
      read('json', 200, json, '{"Protocol":"EWS","Url":"https://mail.contoso.com/EWS/Exchange.asmx"}'),
      { type: 'settings', ewsUrls: ['https://mail.contoso.com/EWS/Exchange.asmx'] },
    ],
    [
      'JSON with another content type, as from a proxy',
      read('json', 200, { 'content-type': 'text/plain' }, '{"Url":"https://mail.contoso.com/"}'),
      { type: 'settings', ewsUrls: ['https://mail.contoso.com/'] },
    ],
    [
      'an error in JSON with status 200, as from grommunio',
      read('json', 200, json, '{"ErrorCode":"ProtocolNotSupported","ErrorMessage":"…"}'),
      { type: 'failed', reason: 'answers with the error ProtocolNotSupported' },
    ],
    [
      'an error in JSON with its own status',
      read('json', 400, json, '{"ErrorCode":"InvalidUserId","ErrorMessage":"…"}'),
      { type: 'failed', reason: 'answers with the error InvalidUserId' },
    ],
    [
      'an error code that is a text',
      read('json', 200, json, '{"ErrorCode":"<b>hush hush</b>"}'),
      { type: 'failed', reason: 'answers with the error of another kind' },
    ],
    [
      'a status',
      read('json', 404, { 'content-type': 'text/html' }),
      { type: 'failed', reason: 'was answered 404' },
    ],
    ['a status without type', read('pox', 503, {}), { type: 'failed', reason: 'was answered 503' }],
    [
      'JSON in response to an XML request',
      read('pox', 400, json, '{}'),
      { type: 'failed', reason: 'was answered 400' },
    ],
    [
      'a refused sign-in',
      read('json', 401, json, '{}'),
      { type: 'failed', reason: 'was answered 401: it refuses the credentials' },
    ],
    [
      'a redirect',
      read('json', 302, { location: 'https://o.example/a' }),
      { type: 'redirectUrl', url: 'https://o.example/a' },
    ],
    [
      'a redirect by a path',
      read('pox', 307, { location: '/b' }),
      { type: 'redirectUrl', url: 'https://contoso.com/b' },
    ],
    [
      'a redirect to nowhere',
      read('pox', 301, { location: 'https://' }),
      { type: 'redirectUrl', url: 'https://' },
    ],
    ['a redirect without target', read('pox', 302, {}), { type: 'failed', reason: 'was answered 302' }],
    [
      'a redirect in a browser',
      read('json', 0, {}),
      { type: 'failed', reason: 'redirects to what the browser hides' },
    ],
    [
      'settings in XML',
      read(
        'pox',
        200,
        xml,
        pox('<Account><Protocol><Type>EXPR</Type><EwsUrl>https://m/</EwsUrl></Protocol></Account>'),
      ),
      { type: 'settings', ewsUrls: ['https://m/'] },
    ],
    [
      'a redirect in XML',
      read('pox', 200, xml, pox('<Account><RedirectUrl>https://m/</RedirectUrl></Account>')),
      { type: 'redirectUrl', url: 'https://m/' },
    ],
    [
      'another address in XML',
      read('pox', 200, xml, pox('<Account><RedirectAddr>sara@m.example</RedirectAddr></Account>')),
      { type: 'redirectAddress', address: 'sara@m.example' },
    ],
    [
      'an error in XML',
      read('pox', 200, xml, pox('<Error><ErrorCode>500</ErrorCode></Error>')),
      { type: 'failed', reason: 'answers with the error 500: the address is not known there' },
    ],
    [
      'an error in XML that is not known',
      read('pox', 200, xml, pox('<Error><ErrorCode>777</ErrorCode></Error>')),
      { type: 'failed', reason: 'answers with the error 777' },
    ],
  ];
  for (const [what, answer, expected] of cases) {
    it(`reads ${what}`, () => {
      expect(answer).to.deep.equal(expected);
    });
  }

  const refused: readonly (readonly [string, AutodiscoverResult | Error])[] = [
    [
      'a login page instead of JSON',
      read('json', 200, { 'content-type': 'text/html' }, '<!DOCTYPE html><html>'),
    ],
    [
      'a login page instead of XML',
      read('pox', 200, { 'content-type': 'text/html' }, '<!DOCTYPE html><html>'),
    ],
    ['JSON of another shape', read('json', 200, json, '[{"Url":7}]')],
    ['a page that is too large', read('pox', 200, xml, 'x'.repeat(300_000))],
  ];
  for (const [what, answer] of refused) {
    it(`errors with a DecodeError for ${what}`, () => {
      expect(answer).to.include({ _tag: 'DecodeError' });
    });
  }
});
