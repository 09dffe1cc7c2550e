import { expect } from 'chai';
import * as core from '../lib/index.ts';

describe('rxchange', () => {
  it('should export the neutral core, and nothing more', () => {
    expect(Object.keys(core).sort()).to.deep.equal([
      'ACTIVITY_CHANNEL',
      'ClosedError',
      'DecodeError',
      'HttpError',
      'NetworkError',
      'OriginError',
      'TokenError',
      'activityReport',
      'bearer',
      'browserCredentials',
      'checkpointed',
      'closeOnPageHide',
      'cookieJar',
      'decideRelease',
      'decideRetry',
      'decode',
      'fetchTransport',
      'headersFrom',
      'memoryCheckpoints',
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
