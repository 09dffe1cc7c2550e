import { parseOptions } from './arguments.ts';
import { demoEws } from './demoEws.ts';
import { demoUcwa } from './demoUcwa.ts';
import type { Terminal } from './terminal.ts';

/** Runs the main job on two simulated servers, over real sockets; resolves with the exit code. */
export async function demo(terminal: Terminal, args: readonly string[]): Promise<number> {
  parseOptions(args, {});
  const presences = await demoUcwa(terminal);
  const notifications = await demoEws(terminal);
  terminal.out(
    `left on the servers: ${presences} presence subscriptions, ${notifications} notification subscriptions`,
  );
  return presences + notifications === 0 ? 0 : 1;
}
