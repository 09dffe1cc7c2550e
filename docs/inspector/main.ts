import { EMPTY as NONE, type Subscription } from 'rxjs';
import type { Playground } from '../../lib/inspector/playground.ts';
import { isRelayed, remotePlayground } from '../../lib/inspector/playground/remote.ts';
import { runScenario, type Scenario, SCENARIOS } from '../../lib/inspector/playground/scenarios.ts';
import { simulatedPlayground } from '../../lib/inspector/playground/simulated.ts';
import { mountParts } from './mountInspector.tsx';

// The page: each scenario has servers of its own, in the page.
const element = document.getElementById('inspector');
if (element !== null) {
  if (isRelayed(document)) showRemote(element);
  else startPage(element);
}

/** Shows the connection of the process that has served the page. */
function showRemote(page: HTMLElement): void {
  const inspector = mountParts(page, NONE, { keysOf: document });
  remotePlayground(location.href).then(
    (remote) => inspector.show(remote.records$, remote),
    (error: unknown) => inspector.say(error instanceof Error ? error.message : String(error)),
  );
}

function startPage(page: HTMLElement): void {
  let playground: Playground | undefined;
  let running: Subscription | undefined;
  let current = chosen();

  const inspector = mountParts(page, NONE, {
    keysOf: document,
    scenarios: () => ({
      ...{ all: SCENARIOS, current: current?.name, restart: start },
      hrefOf: (name) => `#scenario=${name}`,
    }),
  });

  function start(): void {
    running?.unsubscribe();
    void playground?.close();
    current = chosen();
    playground = simulatedPlayground(latency());
    inspector.show(playground.records$, playground);
    if (current === undefined) return;
    running = runScenario(current, playground).subscribe({
      error: (error: unknown) => inspector.say(error instanceof Error ? error.message : String(error)),
    });
  }

  addEventListener('hashchange', start);
  start();
}

/** Returns a part of the URL, such as `network` for the `scenario` of `#scenario=network&latency=2000`. */
function parameter(name: string): string | null {
  return new URLSearchParams(location.hash.slice(1)).get(name);
}

/** Returns the round trip in the URL, in milliseconds. */
function latency(): { readonly latencyMs?: number } {
  const latencyMs = Number(parameter('latency') ?? NaN);
  return Number.isInteger(latencyMs) && latencyMs >= 0 ? { latencyMs } : {};
}

/** Returns the scenario in the URL, or the first one. `#scenario=none` has no scenario. */
function chosen(): Scenario | undefined {
  const name = parameter('scenario');
  if (name === 'none') return undefined;
  return SCENARIOS.find((one) => one.name === name) ?? SCENARIOS[0];
}
