// The process of one contender: runs a round for each message, and responds with its result.
import type { Benchmark } from './benchmark.ts';

const [, , file = '', name = ''] = process.argv;
const { benchmark } = (await import(file)) as { readonly benchmark: Benchmark };
const round = await benchmark.contenders[name]?.();
if (round === undefined) throw new Error(`There is no contender ${name} in ${file}`);
process.on('message', () => {
  void (async () => {
    process.send?.(await round());
  })();
});
process.send?.('ready');
