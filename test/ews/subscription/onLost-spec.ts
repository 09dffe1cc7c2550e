import { expect } from 'chai';
import { EwsError } from '../../../lib/ews/protocol/errors.ts';
import { streamingNotifications } from '../../../lib/ews/streaming/streaming.ts';
import type { OnLost } from '../../../lib/ews/subscription/options.ts';
import { outcomesOf, type Pulling, pulling } from '../pull/pulling.ts';

const WATCHED = { folders: ['inbox'], events: ['newMail'] } as const;

/** The stream of each kind that loses its subscription at 10 seconds. */
const STREAMS: readonly (readonly [name: string, lose: (onLost: OnLost) => Pulling, lostAt: number])[] = [
  [
    'a pull stream',
    (onLost) =>
      pulling(({ pull, watch, at, server }) => {
        watch(pull({ onLost }), 100);
        at(10, () => server.expire());
      }),
    30,
  ],
  [
    'a streaming stream',
    (onLost) =>
      pulling(({ exchange, watch, at, server }) => {
        watch(streamingNotifications(exchange, { ...WATCHED, onLost }), 100);
        at(10, () => server.expire());
      }),
    45.1,
  ],
];

describe('onLost', () => {
  for (const [name, lose, lostAt] of STREAMS) {
    it(`'complete' completes ${name} whose subscription the server has lost`, () => {
      const run = lose('complete');
      expect(run.seen.at(-1)).to.equal(`${lostAt} complete`);
      expect(outcomesOf(run)).to.deep.equal(['EndedByServer']);
      expect(run.left()).to.deep.equal([]);
    });

    it(`'error' ends ${name} with the error of the server`, () => {
      const run = lose('error');
      expect(run.seen.at(-1)).to.equal(`${lostAt} EwsError`);
      expect(run.errors[0]).to.be.instanceOf(EwsError);
      expect(outcomesOf(run)).to.deep.equal(['EndedByServer']);
      expect(run.left()).to.deep.equal([]);
    });

    it(`'recreate' creates the subscription of ${name} again, after a gap`, () => {
      const run = lose('recreate');
      expect(run.seen).to.include(`${lostAt} gap`);
      expect(outcomesOf(run)).to.deep.equal(['EndedByServer', 'Released']);
    });
  }

  for (const onLost of ['complete', 'error'] as const) {
    it(`'${onLost}' does not apply to a subscription that was never created`, () => {
      const run = pulling(({ pull, watch, server }) => {
        server.failNext(1, { error: 'ErrorInvalidWatermark' }, 'Subscribe');
        watch(pull({ onLost }), 60);
      });
      expect(run.seen[0]).to.match(/^\d+ status$/);
    });

    it(`'${onLost}' does not apply to a mailbox that moves`, () => {
      const run = pulling(({ pull, watch, at, server }) => {
        watch(pull({ onLost }), 300);
        at(10, () => server.failNext(1, { error: 'ErrorMailboxMoveInProgress' }, 'GetEvents'));
      });
      expect(run.seen).to.include('91 gap');
      expect(run.errors).to.deep.equal([]);
    });
  }

  it('rejects a value that it does not know', () => {
    pulling(({ exchange, pull }) => {
      expect(() => pull({ onLost: 'fresh' as never })).to.throw(
        TypeError,
        'onLost must be one of "resume", "recreate", "complete", "error"',
      );
      expect(() => streamingNotifications(exchange, { ...WATCHED, onLost: 'resume' as never })).to.throw(
        TypeError,
        'onLost must be one of "recreate", "complete", "error"',
      );
    });
  });
});
