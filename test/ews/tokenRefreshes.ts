import { bearer } from '../../lib/core/auth/auth.ts';
import { expect } from 'chai';
import { asyncScheduler, of } from 'rxjs';
import { connectionsOf, gapsOf, streaming } from './streaming/streaming.ts';

const HOUR = 3600;
const DAY = 24 * HOUR;
const now = (): number => asyncScheduler.now() / 1000;

/** Expects that a stream with hourly tokens lives for days, and requests tokens only when necessary. */
export function expectTokenRefreshes(days: number): void {
  let asked = 0;
  const run = streaming(
    ({ stream, watch, at, server }) => {
      watch(stream({ events: ['newMail'] }), days * DAY - HOUR / 2);
      for (let hour = 1; hour < days * 24; hour += 1) {
        at(hour * HOUR, () => server.setToken(`token-${hour}`));
      }
      for (let day = 1; day < days; day += 1) at(day * DAY + 100, () => server.deliverMail());
    },
    { token: 'token-0', heartbeatSeconds: 45 },
    {
      auth: bearer(() => {
        asked += 1;
        return of({ token: `token-${Math.floor(now() / HOUR)}`, expiresInSeconds: HOUR });
      }),
    },
  );
  expect(run.events.filter(({ type }) => type === 'newMail')).to.have.length(days - 1);
  expect(gapsOf(run)).to.deep.equal([]);
  expect(asked).to.be.within(days * 24 - 1, 2 * days * 24);
  expect(connectionsOf(run)).to.have.length.within(days * 24, 3 * days * 24);
  expect(run.left()).to.deep.equal([]);
}
