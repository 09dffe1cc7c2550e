import { expect } from 'chai';
import { DecodeError } from '../../../lib/core/errors.ts';
import {
  type HandoverState,
  type HandoverStep,
  stepAfterEnd,
  stepAfterMessage,
} from '../../../lib/ews/streaming/handoverStep.ts';

const alone: HandoverState = { on: 'only', isReplaced: false, isFlushing: false };
const error = new DecodeError('response', { path: '', expected: 'one', actual: 'another' });

describe('A step of a handover', () => {
  const rows: readonly [
    name: string,
    state: Partial<HandoverState>,
    message: HandoverStep,
    refusal: HandoverStep,
    end: HandoverStep,
  ][] = [
    ['on the only request', {}, 'emit', 'emit', 'emit'],
    ['on the older request', { on: 'older' }, 'emit', 'complete', 'complete'],
    [
      'on the older request, which is replaced',
      { on: 'older', isReplaced: true },
      'emit',
      'complete',
      'complete',
    ],
    ['on the newer request', { on: 'newer' }, 'buffer', 'abort', 'abort'],
    [
      'on the newer request, which is served',
      { on: 'newer', isReplaced: true },
      'buffer',
      'buffer',
      'bufferAndComplete',
    ],
    [
      'while the backlog is emitted',
      { on: 'newer', isReplaced: true, isFlushing: true },
      'buffer',
      'buffer',
      'buffer',
    ],
  ];
  for (const [name, changes, message, refusal, end] of rows) {
    it(`is ${message}, ${refusal} or ${end} ${name}`, () => {
      const state = { ...alone, ...changes };
      expect([
        stepAfterMessage(state, {}),
        stepAfterMessage(state, { error }),
        stepAfterEnd(state),
      ]).to.deep.equal([message, refusal, end]);
    });
  }
});
