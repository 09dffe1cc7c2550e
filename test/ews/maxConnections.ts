import { expect } from 'chai';
import { takeUntil, timer } from 'rxjs';
import type { EwsSimulator } from '../../lib/testing/ews/simulator.ts';
import { streaming } from './streaming/streaming.ts';

/** Returns the most streams that were open at a time, sampled every 20 ms of the first seconds. */
function mostStreams(server: EwsSimulator, seconds: number): { count: number } {
  const most = { count: 0 };
  timer(0, 20)
    .pipe(takeUntil(timer(seconds * 1000)))
    .subscribe(() => (most.count = Math.max(most.count, server.streams.length)));
  return most;
}

/** Expects at most this many pending requests while subscribers of full connections come and go. */
export function expectMaxConnections(maxConnections: number): void {
  let most = { count: 0 };
  const sent: string[] = [];
  const run = streaming(
    ({ stream, watch, at, server }) => {
      most = mostStreams(server, 100);
      for (let each = 0; each < maxConnections * 200; each += 1) {
        const come = (each * 37) % 60;
        at(come + (each % 8) / 8, () =>
          watch(stream({ folders: ['notes'], events: ['created'] }), 90 - come),
        );
      }
      at(30, () => sent.push(server.createItem('notes')));
      at(70, () => sent.push(server.createItem('notes')));
    },
    { latencyMs: 60 },
    { streaming: { maxConnections } },
  );
  expect(most.count).to.equal(maxConnections);
  expect(run.errors).to.deep.equal([]);
  const created = run.events.filter(({ type }) => type === 'created');
  expect(created.length).to.be.at.least(maxConnections * 200);
  expect(run.left()).to.deep.equal([]);
}
