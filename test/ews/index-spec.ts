import { expect } from 'chai';
import { expectTypeOf } from 'expect-type';
import type { Observable } from 'rxjs';
import * as ews from '../../lib/ews/index.ts';
import type { GapReason, MovedEvent, SubscribableEvent } from '../../lib/ews/protocol/events.ts';

describe('The entry rxchange/ews', () => {
  it('exports only the API for applications', () => {
    expect(Object.keys(ews).sort()).to.deep.equal([
      'AutodiscoverError',
      'ConnectionsFullError',
      'EwsError',
      'SoapFault',
      'affinity',
      'autodiscovered',
      'basic',
      'checkpointed',
      'connectExchange',
      'pullNotifications',
      'pushListener',
      'pushNotifications',
      'streamingNotifications',
    ]);
  });

  it('discriminates the events by their type', () => {
    expectTypeOf<ReturnType<typeof ews.pullNotifications>>().toEqualTypeOf<Observable<ews.EwsEvent>>();
    expectTypeOf<Extract<ews.EwsEvent, { type: 'moved' }>>().toEqualTypeOf<MovedEvent>();
    expectTypeOf<Extract<ews.EwsEvent, { type: 'gap' }>['reason']>().toEqualTypeOf<GapReason>();
    expectTypeOf<'status'>().not.toExtend<SubscribableEvent>();
  });
});
