import { expect } from 'chai';
import { allowedHosts } from '../../../lib/core/hosts.ts';
import {
  type AutodiscoverResult,
  type AutodiscoverSearch,
  beginAutodiscover,
  decideAutodiscover,
} from '../../../lib/ews/discovery/search.ts';

const SARA = { local: 'sara', domain: 'contoso.com' };
const isAllowed = allowedHosts(['contoso.com', 'hoster.example']);
const begin = (): AutodiscoverSearch => beginAutodiscover(SARA);
const failed: AutodiscoverResult = { type: 'failed', reason: 'was answered 404' };
const to = (url: string): AutodiscoverResult => ({ type: 'redirectUrl', url });

/** Returns the search after a response that does not end it. */
function after(search: AutodiscoverSearch, ...answers: readonly AutodiscoverResult[]): AutodiscoverSearch {
  return answers.reduce((current, answer) => {
    const decision = decideAutodiscover(current, answer, isAllowed);
    if (decision.type !== 'continue') throw new Error(`the search ended: ${decision.type}`);
    return decision.search;
  }, search);
}

const stepsOf = ({ steps }: AutodiscoverSearch): string[] =>
  steps.map(({ format, url }) => `${format} ${url}`);

const JSON_PATH = '/autodiscover/autodiscover.json/v1.0/sara@contoso.com?Protocol=EWS';
const POX_PATH = '/autodiscover/autodiscover.xml';

describe('beginAutodiscover', () => {
  it('plans both endpoints on both hosts, JSON first', () => {
    expect(stepsOf(begin())).to.deep.equal([
      `json https://autodiscover.contoso.com${JSON_PATH}`,
      `json https://contoso.com${JSON_PATH}`,
      `pox https://autodiscover.contoso.com${POX_PATH}`,
      `pox https://contoso.com${POX_PATH}`,
    ]);
  });

  it('escapes the address in the path', () => {
    const [first] = stepsOf(beginAutodiscover({ local: '../a?b#c&d', domain: 'contoso.com' }));
    expect(first).to.contain('/v1.0/..%2Fa%3Fb%23c%26d@contoso.com?Protocol=EWS');
  });
});

describe('decideAutodiscover', () => {
  it('returns the first allowed URL', () => {
    const ewsUrls = [
      'http://mail.contoso.com/',
      'https://mbx.corp/',
      'https://mail.CONTOSO.com/EWS',
      'https://contoso.com/',
    ];
    expect(decideAutodiscover(begin(), { type: 'settings', ewsUrls }, isAllowed)).to.deep.equal({
      type: 'found',
      url: 'https://mail.contoso.com/EWS',
    });
  });

  const givenUp: readonly (readonly [string, AutodiscoverResult, string])[] = [
    ['a failure', failed, 'was answered 404'],
    ['no URL', { type: 'settings', ewsUrls: [] }, 'names no URL of the web services'],
    [
      'a URL elsewhere',
      { type: 'settings', ewsUrls: ['https://evil.example/'] },
      'names evil.example, which is not allowed',
    ],
    [
      'a URL without https',
      { type: 'settings', ewsUrls: ['http://contoso.com/'] },
      'names contoso.com without https',
    ],
    ['a URL that is none', { type: 'settings', ewsUrls: ['EWS'] }, 'names what is no URL'],
    [
      'a URL with a password',
      { type: 'settings', ewsUrls: ['https://a:hush@contoso.com/'] },
      'names contoso.com, which is not allowed',
    ],
    [
      'a redirect elsewhere',
      to('https://evil.example/?t=hush'),
      'redirects to evil.example, which is not allowed',
    ],
    ['a redirect without https', to('http://contoso.com/'), 'redirects to contoso.com without https'],
    [
      'a redirect to no web address',
      to('javascript:alert(1)'),
      'redirects to what is no address on the web without https',
    ],
    [
      'a redirect to itself',
      to(`https://autodiscover.contoso.com${JSON_PATH}`),
      'redirects to what is asked anyway',
    ],
    [
      'another address elsewhere',
      { type: 'redirectAddress', address: 'sara@evil.example' },
      'redirects to an address at evil.example, which is not allowed',
    ],
    ['what is no address', { type: 'redirectAddress', address: 'sara' }, 'redirects to what is no address'],
    [
      'its own address',
      { type: 'redirectAddress', address: 'sara@contoso.com' },
      'redirects to what is asked anyway',
    ],
  ];
  for (const [what, answer, reason] of givenUp) {
    it(`reports ${what} and takes the next step`, () => {
      const search = after(begin(), answer);
      expect(search.tried).to.deep.equal([{ format: 'json', host: 'autodiscover.contoso.com', reason }]);
      expect(stepsOf(search)).to.deep.equal(stepsOf(begin()).slice(1));
      expect(search.redirects).to.equal(0);
    });
  }

  it('keeps the cause of a failure', () => {
    const cause = new Error('reset');
    expect(after(begin(), { ...failed, cause }).tried[0]?.cause).to.equal(cause);
  });

  it('follows an allowed redirect with the same protocol before the other steps', () => {
    const search = after(begin(), to('https://autodiscover.hoster.example/here'));
    expect(stepsOf(search)).to.deep.equal([
      'json https://autodiscover.hoster.example/here',
      ...stepsOf(begin()).slice(1),
    ]);
    expect(search.tried).to.deep.equal([
      {
        format: 'json',
        host: 'autodiscover.contoso.com',
        reason: 'redirects to autodiscover.hoster.example',
      },
    ]);
    expect(search.redirects).to.equal(1);
  });

  it('looks up another allowed address before the other steps', () => {
    const search = after(begin(), failed, failed, {
      type: 'redirectAddress',
      address: 'sara@hoster.example',
    });
    expect(stepsOf(search)).to.have.length(5);
    expect(stepsOf(search).slice(0, 2)).to.deep.equal([
      'json https://autodiscover.hoster.example/autodiscover/autodiscover.json/v1.0/sara@hoster.example?Protocol=EWS',
      'json https://hoster.example/autodiscover/autodiscover.json/v1.0/sara@hoster.example?Protocol=EWS',
    ]);
    expect(stepsOf(search).at(-1)).to.equal(`pox https://contoso.com${POX_PATH}`);
    expect(search.steps[0].address).to.deep.equal({ local: 'sara', domain: 'hoster.example' });
  });

  it('detects redirect loops', () => {
    const circle = [to('https://contoso.com/a'), to('https://contoso.com/b'), to('https://contoso.com/a')];
    expect(after(begin(), ...circle).tried.at(-1)?.reason).to.equal('redirects to what is asked anyway');
  });

  it('follows at most ten redirects', () => {
    const redirects = Array.from({ length: 11 }, (_, index) => to(`https://contoso.com/${index}`));
    const search = after(begin(), ...redirects);
    expect(search.redirects).to.equal(10);
    expect(search.tried.at(-1)?.reason).to.equal('redirects once more, after 10 times');
    expect(stepsOf(search)).to.deep.equal(stepsOf(begin()).slice(1));
  });

  it('fails with the results of all steps when no step remains', () => {
    const decision = decideAutodiscover(after(begin(), failed, failed, failed), failed, isAllowed);
    expect(decision).to.deep.equal({
      type: 'fail',
      tried: [
        { format: 'json', host: 'autodiscover.contoso.com', reason: 'was answered 404' },
        { format: 'json', host: 'contoso.com', reason: 'was answered 404' },
        { format: 'pox', host: 'autodiscover.contoso.com', reason: 'was answered 404' },
        { format: 'pox', host: 'contoso.com', reason: 'was answered 404' },
      ],
    });
  });
});
