import { expect } from 'chai';
import { inspect } from 'node:util';
import { CHECKPOINTING, checkpointed } from '../../../lib/ews/subscription/checkpointed.ts';
import { memoryCheckpoints } from '../../../lib/core/checkpoint/memoryStore.ts';

describe('checkpointed', () => {
  const store = memoryCheckpoints();

  it('carries the functions of its feature, which no log shows', () => {
    const checkpoint = checkpointed(store, 'mail');
    expect(CHECKPOINTING.read('checkpoint', checkpoint)).to.have.keys('open', 'recorded');
    expect(inspect(checkpoint)).not.to.include('recorded');
    expect(Object.isFrozen(checkpoint)).to.equal(true);
  });

  it('can be wrapped in a Proxy', () => {
    const wrapped = new Proxy(checkpointed(store, 'mail'), {});
    expect(CHECKPOINTING.isIn(wrapped)).to.equal(true);
  });

  it('refuses an invalid store and an empty key', () => {
    expect(() => checkpointed({} as never, 'mail')).to.throw(TypeError, 'checkpoint.store must be a store');
    expect(() => checkpointed(store, '')).to.throw(TypeError, 'checkpoint.key must be a text');
  });

  it('rejects a plain object with a hint', () => {
    for (const [wrong, type] of [
      [{ store, key: 'mail' }, 'an object'],
      ['mail', 'a string'],
      [null, 'null'],
    ] as const) {
      expect(() => CHECKPOINTING.read('checkpoint', wrong)).to.throw(
        TypeError,
        `checkpoint must be checkpointed(store, key) from 'rxchange/ews', but it is ${type}`,
      );
    }
  });
});
