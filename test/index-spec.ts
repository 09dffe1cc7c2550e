import { expect } from 'chai';
import * as core from '../lib/index.ts';

describe('rxchange', () => {
  it('should export the neutral core, and nothing more', () => {
    expect(Object.keys(core).sort()).to.deep.equal([
      'ClosedError',
      'DecodeError',
      'HttpError',
      'NetworkError',
      'OriginError',
      'browserCredentials',
      'cookieJar',
      'decideRelease',
      'decideRetry',
      'decode',
      'fetchTransport',
      'headersFrom',
      'pinnedTo',
      'readText',
      'releaseLedger',
      'remoteResource',
      'reportProgress',
      'shareWithGrace',
      'untilClosed',
      'withConcurrency',
      'withCookies',
      'withRetry',
      'withToken',
    ]);
  });
});
