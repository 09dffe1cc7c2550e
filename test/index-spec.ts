import { expect } from 'chai';
import * as core from '../lib/index.ts';

describe('rxchange', () => {
  it('exports the parts that UCWA and EWS share', () => {
    expect(Object.keys(core).sort()).to.deep.equal([
      'ClosedError',
      'DecodeError',
      'HttpError',
      'NetworkError',
      'OriginError',
      'TokenError',
      'bearer',
      'fetchTransport',
      'memoryCheckpoints',
      'releaseLedger',
      'remoteResource',
      'suspendOnPageHide',
      'withConcurrency',
      'withCredentials',
      'withRetry',
      'withToken',
    ]);
  });
});
