import { expect } from 'chai';
import * as core from '../lib/index.ts';

describe('rxchange', () => {
  it('exports the parts that UCWA and EWS share', () => {
    expect(Object.keys(core).sort()).to.deep.equal([
      'ACTIVITY_CHANNEL',
      'ClosedError',
      'DecodeError',
      'HttpError',
      'NetworkError',
      'OriginError',
      'TokenError',
      'bearer',
      'checkpointed',
      'closeOnPageHide',
      'decode',
      'fetchTransport',
      'headersFrom',
      'memoryCheckpoints',
      'readText',
      'releaseLedger',
      'remoteResource',
      'restrictToOrigin',
      'withConcurrency',
      'withCredentials',
      'withProgress',
      'withRetry',
      'withToken',
    ]);
  });
});
