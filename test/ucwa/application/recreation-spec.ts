import { expect } from 'chai';
import { HttpError, NetworkError } from '../../../lib/core/errors.ts';
import { SuspendedError } from '../../../lib/core/lifecycle/suspension.ts';
import {
  afterCreation,
  afterError,
  type CreationState,
  type CreationStep,
  NOT_CREATED,
  type RecreationPolicy,
} from '../../../lib/ucwa/application/recreation.ts';

const request = { method: 'POST', url: 'https://pool.contoso.com/applications' };
const lost = new NetworkError('no answer', request);
const refused = new HttpError(403, request);
const gone = new HttpError(404, request, { code: 'NotFound' });
const ended = new HttpError(410, request, { subcode: 'InactiveApplicationExpired' });
const suspended = new SuspendedError();

const ERROR: RecreationPolicy = { onApplicationEnded: 'error', whenUnreachable: 'error' };
const LENIENT: RecreationPolicy = { onApplicationEnded: 'recreate', whenUnreachable: 'wait' };

const created = afterCreation(NOT_CREATED, 1000);
const none: CreationState = { ...created, createdAt: undefined };
const FAIL: CreationStep = { type: 'fail' };
const create = (afterFailures: number): CreationStep => ({ type: 'create', afterFailures });

describe('afterError', () => {
  const cases: readonly [
    name: string,
    before: CreationState,
    error: unknown,
    now: number,
    policy: RecreationPolicy,
    after: CreationState,
    step: CreationStep,
  ][] = [
    ['fails at the first creation', NOT_CREATED, lost, 0, ERROR, { ...NOT_CREATED, failures: 1 }, FAIL],
    [
      'waits at the first creation',
      NOT_CREATED,
      lost,
      0,
      LENIENT,
      { ...NOT_CREATED, failures: 1 },
      create(1),
    ],
    ['fails if it is refused', NOT_CREATED, refused, 0, LENIENT, { ...NOT_CREATED, failures: 1 }, FAIL],
    ['waits longer each time', { ...none, failures: 2 }, lost, 0, ERROR, { ...none, failures: 3 }, create(3)],
    ['creates at once what lasted', { ...created, failures: 2 }, gone, 61_000, ERROR, none, create(0)],
    ['creates at once what ended soon', created, gone, 2000, ERROR, { ...none, failures: 1 }, create(0)],
    [
      'waits for what ended soon again',
      { ...created, failures: 1 },
      gone,
      2000,
      ERROR,
      { ...none, failures: 2 },
      create(1),
    ],
    ['fails if the server has ended it', created, ended, 61_000, ERROR, none, FAIL],
    ['creates what the server has ended', created, ended, 61_000, LENIENT, none, create(0)],
    ['creates at once what was suspended', created, suspended, 2000, ERROR, none, create(0)],
    ['creates it though the first was suspended', NOT_CREATED, suspended, 0, ERROR, NOT_CREATED, create(0)],
  ];
  for (const [name, before, error, now, policy, after, step] of cases) {
    it(name, () => expect(afterError(before, error, now, policy)).to.deep.equal([after, step]));
  }
});
