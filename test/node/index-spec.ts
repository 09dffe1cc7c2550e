import { expect } from 'chai';
import * as node from '../../lib/node/index.ts';
import * as http from '../../lib/testing/http/index.ts';

describe('rxchange/node', () => {
  it('exports the parts that need Node', () => {
    expect(Object.keys(node).sort()).to.deep.equal([
      'CheckpointError',
      'NegotiateError',
      'fileCheckpoints',
      'negotiate',
      'nodeTransport',
      'ntlm',
    ]);
  });
});

describe('rxchange/testing/http', () => {
  it('exports how to serve a simulator', () => {
    expect(Object.keys(http)).to.deep.equal(['serve']);
  });
});
