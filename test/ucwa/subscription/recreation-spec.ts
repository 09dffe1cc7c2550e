import { expect } from 'chai';
import type { UcwaDecision } from '../../../lib/ucwa/protocol/failures.ts';
import {
  afterEnding,
  afterRefusal,
  type Ending,
  INITIAL,
  isReplacement,
  type OnLost,
  type RecreationState,
  type RecreationStep,
} from '../../../lib/ucwa/subscription/recreation.ts';

const MINUTE_MS = 60_000;
const state = (ending: Ending | undefined, failures: number): RecreationState => ({ ending, failures });
const create = (afterFailures: number): RecreationStep => ({ type: 'create', afterFailures });

describe('afterEnding', () => {
  type Case = readonly [
    name: string,
    before: RecreationState,
    ending: Ending,
    lifetimeMs: number,
    onLost: OnLost,
    after: RecreationState,
    step: RecreationStep,
  ];
  const cases: readonly Case[] = [
    [
      'creates the next one at once',
      INITIAL,
      'deleted',
      MINUTE_MS,
      'recreate',
      state('deleted', 0),
      create(0),
    ],
    [
      'creates the next one at once after a short life',
      INITIAL,
      'gone',
      0,
      'recreate',
      state('gone', 1),
      create(0),
    ],
    [
      'waits after two short lives',
      state('gone', 1),
      'lost',
      59_999,
      'recreate',
      state('lost', 2),
      create(1),
    ],
    ['waits longer after three', state('gone', 2), 'gone', 0, 'recreate', state('gone', 3), create(2)],
    [
      'forgets failures after a minute',
      state('gone', 9),
      'gone',
      MINUTE_MS,
      'recreate',
      state('gone', 0),
      create(0),
    ],
    ['continues after a suspension', INITIAL, 'suspended', 0, 'error', state('suspended', 0), create(0)],
    ['completes', INITIAL, 'lost', 0, 'complete', state('lost', 1), { type: 'complete' }],
  ];
  for (const [name, before, ending, lifetimeMs, onLost, after, step] of cases) {
    it(name, () => {
      expect(afterEnding(before, ending, lifetimeMs, onLost)).to.deep.equal([after, step]);
    });
  }

  for (const onLost of ['recreate', 'complete', 'error'] as const) {
    it(`awaits the removal of a replaced subscription with onLost: '${onLost}'`, () => {
      expect(afterEnding(state('gone', 3), 'replaced', 0, onLost)).to.deep.equal([
        state('replaced', 3),
        { type: 'awaitRemoval' },
      ]);
    });
  }

  const causes = { deleted: /its time was over/, gone: /no longer knows it/, lost: /has lost the state/ };
  for (const [ending, cause] of Object.entries(causes) as [Exclude<Ending, 'replaced'>, RegExp][]) {
    it(`fails with the cause: ${ending}`, () => {
      const [, step] = afterEnding(INITIAL, ending, MINUTE_MS, 'error');
      expect(step.type === 'fail' && step.because).to.match(cause);
    });
  }
});

describe('afterRefusal', () => {
  const cases: readonly (readonly [string, RecreationState, UcwaDecision, RecreationState | undefined])[] = [
    ['fails the first creation', INITIAL, 'retry', undefined],
    ['retries a later creation', state('lost', 0), 'retry', state('lost', 1)],
    ['counts the failures', state('deleted', 4), 'retry', state('deleted', 5)],
    ['fails a later creation that the server refuses', state('lost', 0), 'fail', undefined],
  ];
  for (const [name, before, decision, after] of cases) {
    it(name, () => {
      expect(afterRefusal(before, decision)).to.deep.equal(after);
    });
  }
});

describe('isReplacement', () => {
  const cases: readonly (readonly [Ending | undefined, boolean])[] = [
    [undefined, false],
    ['lost', false],
    ['suspended', false],
    ['deleted', true],
    ['gone', true],
    ['replaced', true],
  ];
  for (const [ending, expected] of cases) {
    it(`is ${expected} after ${ending ?? 'nothing'}`, () => {
      expect(isReplacement(state(ending, 0))).to.equal(expected);
    });
  }
});
